import { addDays, type LocalDate } from '../../kernel/dates.js';
import type { Aggregate, Calendar } from '../../kernel/decider.js';
import { unreachable } from '../../kernel/result.js';
import type { BusinessDayStored } from './events.js';

export interface BusinessDay extends Calendar {
  /** The close that has announced itself and has not written its totals. */
  readonly closing: { readonly date: LocalDate; readonly through: LocalDate } | null;
  readonly lastClosed: LocalDate | null;
}

export const noBusinessDay: BusinessDay = {
  open: null,
  first: null,
  simulated: false,
  closing: null,
  lastClosed: null,
};

export const businessDay: Aggregate<BusinessDay> = {
  category: 'businessDay',
  initial: noBusinessDay,
  evolve: (day, stored) => {
    const event = stored as BusinessDayStored;
    switch (event.type) {
      case 'LedgerOpened': {
        const { firstBusinessDay: first, simulated } = event.data;
        return { ...day, open: first, first, simulated };
      }
      case 'BusinessDayClosing':
        return { ...day, open: addDays(event.data.date, 1), closing: event.data };
      case 'BusinessDayClosed':
        return { ...day, closing: null, lastClosed: event.data.date };
      case 'LateEntriesCounted':
        return day;
      default:
        return unreachable(event);
    }
  },
};
