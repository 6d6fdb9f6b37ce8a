import { command } from '../../kernel/decider.js';
import { date, list, record } from '../../kernel/fields.js';
import { BUSINESS_DAY_STREAM } from '../vocabulary.js';
import { closeBusinessDay, completeClose } from './decisions.js';
import { LATE_ENTRIES_MAX, lateEntry, totals } from './events.js';

const about = () => BUSINESS_DAY_STREAM;
const none = () => ({});
const nowhere = () => [];

export const businessDayCommands = [
  command({
    name: 'close-business-day',
    summary: 'Closes the open business day, or each day up to a later one, in order.',
    fields: { date: date() },
    public: true,
    dated: false,
    about,
    reads: none,
    writes: nowhere,
    decide: closeBusinessDay,
  }),
  command({
    name: 'complete-close',
    summary: 'Ends the close of a day with its control totals.',
    fields: {
      date: date(),
      totals: totals(),
      late: list(record({ date: date(), entries: list(lateEntry(), LATE_ENTRIES_MAX) }), LATE_ENTRIES_MAX),
    },
    public: false,
    dated: false,
    about,
    reads: none,
    writes: nowhere,
    decide: completeClose,
  }),
];
