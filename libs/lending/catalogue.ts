import type { Aggregate, CommandEntry, Domain, EventEntry, EventTable } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import { canonicalOf } from '../kernel/fields.js';
import { invariant } from '../kernel/result.js';
import { borrowerCommands } from './borrower/commands.js';
import { borrowerEvents } from './borrower/events.js';
import { borrower } from './borrower/state.js';
import { businessDayCommands } from './business-day/commands.js';
import { refuseValueDate } from './business-day/decisions.js';
import { businessDayEvents, FORMAT_VERSION } from './business-day/events.js';
import { type BusinessDay, businessDay } from './business-day/state.js';
import { districtFundCommands } from './district-fund/commands.js';
import { districtFundEvents } from './district-fund/events.js';
import { districtFund } from './district-fund/state.js';
import { fundCommands } from './fund/commands.js';
import { fundEvents } from './fund/events.js';
import { fund } from './fund/state.js';
import { groupCommands } from './group/commands.js';
import { groupEvents } from './group/events.js';
import { group } from './group/state.js';
import { loanCommands } from './loan/commands.js';
import { loanEvents } from './loan/events.js';
import { loan } from './loan/state.js';
import { policyCommands } from './policy/commands.js';
import { policyEvents } from './policy/events.js';
import { policies } from './policy/state.js';
import { capitalTransfer } from './processes/capital-transfer/capital-transfer.js';
import { dayClose } from './processes/day-close/day-close.js';
import { programmeCommands } from './programme/commands.js';
import { programmeEvents } from './programme/events.js';
import { programme } from './programme/state.js';
import { BUSINESS_DAY_STREAM } from './vocabulary.js';

/* Everything of the domain, concatenated. Nothing is said first here. */

export const events = {
  ...businessDayEvents,
  ...programmeEvents,
  ...policyEvents,
  ...fundEvents,
  ...districtFundEvents,
  ...groupEvents,
  ...borrowerEvents,
  ...loanEvents,
} as const satisfies EventTable;

export type EventType = keyof typeof events;

export const commands: readonly CommandEntry[] = [
  ...programmeCommands,
  ...policyCommands,
  ...fundCommands,
  ...districtFundCommands,
  ...groupCommands,
  ...borrowerCommands,
  ...loanCommands,
  ...businessDayCommands,
];

const aggregates: readonly Aggregate[] = [
  businessDay,
  programme,
  policies,
  fund,
  districtFund,
  group,
  borrower,
  loan,
].map((aggregate) => aggregate as Aggregate);

/** What the engine is told. A command's name or an aggregate's category that occurs twice stops the start. */
export function lendingDomain(): Domain {
  return {
    commands: unique(commands, ({ name }) => name),
    aggregates: unique(aggregates, ({ category }) => category),
    transfers: capitalTransfer,
    close: dayClose,
    versions: new Map(Object.entries(events).map(([type, { version }]) => [type, version])),
    formats: new Map(
      Object.entries(events).map(([type, { version, fields }]) => [type, { version, canonical: canonicalOf(fields) }]),
    ),
    upcast,
    days: {
      stream: BUSINESS_DAY_STREAM,
      calendar: (state) => state as BusinessDay,
      opening: (firstBusinessDay, simulated) => ({
        type: 'LedgerOpened',
        data: { firstBusinessDay, simulated, formatVersion: FORMAT_VERSION },
        valueDate: firstBusinessDay,
      }),
      refuseValueDate: (valueDate, calendar) => refuseValueDate(valueDate, calendar)?.error ?? null,
    },
  };
}

/** A stored event in today's version of its type. What is stored is never changed. */
export function upcast(event: Envelope): Envelope {
  const entry: EventEntry | undefined = events[event.type as EventType];
  invariant(entry !== undefined, `${event.type} is an event of the catalogue`);
  if (event.version === entry.version) return event;
  invariant(event.version < entry.version, `${event.type} of version ${event.version} is newer than this program`);
  let data = event.data as Readonly<Record<string, unknown>>;
  for (let version = event.version; version < entry.version; version++) {
    const step = entry.upcast?.[version];
    invariant(step !== undefined, `${event.type} has a way from version ${version}`);
    data = step(data);
  }
  return { ...event, version: entry.version, data };
}

function unique<T>(entries: readonly T[], nameOf: (entry: T) => string): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const entry of entries) {
    invariant(!map.has(nameOf(entry)), `${nameOf(entry)} is registered once`);
    map.set(nameOf(entry), entry);
  }
  return map;
}
