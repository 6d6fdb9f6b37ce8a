import { layoutFor } from '../apps/distributed/layout.js';
import type { CommandEntry, EventTable } from '../libs/kernel/decider.js';
import { type JsonSchema, schemaOf } from '../libs/kernel/fields.js';
import { invariant } from '../libs/kernel/result.js';
import { borrowerEvents } from '../libs/lending/borrower/events.js';
import { businessDayEvents } from '../libs/lending/business-day/events.js';
import { commands, events, lendingDomain } from '../libs/lending/catalogue.js';
import { districtFundEvents } from '../libs/lending/district-fund/events.js';
import { fundEvents } from '../libs/lending/fund/events.js';
import { groupEvents } from '../libs/lending/group/events.js';
import { loanEvents } from '../libs/lending/loan/events.js';
import { policyEvents } from '../libs/lending/policy/events.js';
import { programmeEvents } from '../libs/lending/programme/events.js';
import { refusals } from '../libs/lending/refusals.js';
import { BUSINESS_DAY_STREAM } from '../libs/lending/vocabulary.js';
import { HEADERS_VERSION } from '../libs/messaging/record.js';
import { queries } from '../libs/projections/catalogue.js';
import { STATUS_OF_KIND } from '../libs/surface/formats/problem.js';
import { asyncApi, headersSchema } from './asyncapi.js';
import { type Outcome, readOutcomes } from './decided.js';
import { commandSchema, eventSchema, schemaText, storedSchema } from './schemas.js';

/* The reference, made from the catalogue: nothing in `docs/reference` is written by hand. */

export const REFERENCE = 'docs/reference';
/** Schemas that are published: never changed in place. */
export const PUBLISHED = `${REFERENCE}/schemas`;
/** What is published on Kafka. */
export const ASYNCAPI = `${REFERENCE}/asyncapi.json`;

/** The events by the category of the streams that they stand in, in the order of the rooms. */
const BY_CATEGORY: Readonly<Record<string, EventTable>> = {
  businessDay: businessDayEvents,
  programme: programmeEvents,
  policy: policyEvents,
  group: groupEvents,
  borrower: borrowerEvents,
  fund: fundEvents,
  districtFund: districtFundEvents,
  loan: loanEvents,
};

const HEAD = '<!-- Made by `npm run generate` from the catalogue. Change that, not this. -->\n\n';

/** Every file of the reference by its path, with its text. */
export function reference(root: string): ReadonlyMap<string, string> {
  const outcomes = readOutcomes(root, new Set(Object.keys(events)));
  const files = new Map<string, string>([
    [`${REFERENCE}/events.md`, eventsPage()],
    [`${REFERENCE}/commands.md`, commandsPage(outcomes.commands, outcomes.transfers)],
    [`${REFERENCE}/queries.md`, queriesPage()],
    [`${REFERENCE}/refusals.md`, refusalsPage()],
    [ASYNCAPI, schemaText(asyncApi({ categories: BY_CATEGORY, toAll: BUSINESS_DAY_STREAM, layout: layoutFor('') }))],
    [`${PUBLISHED}/headers.v${HEADERS_VERSION}.json`, schemaText(headersSchema())],
  ]);
  for (const [category, type, entry] of allEvents()) {
    files.set(`${PUBLISHED}/${type}.v${entry.version}.json`, schemaText(eventSchema(type, entry, category)));
  }
  for (const entry of commands.filter((command) => command.public)) {
    files.set(`${PUBLISHED}/commands/${entry.name}.json`, schemaText(commandSchema(entry)));
  }
  return files;
}

/** Whether a file holds the schema of one version of an event, or of the headers. */
export const isVersioned = (path: string): boolean => /^docs\/reference\/schemas\/\w+\.v\d+\.json$/.test(path);

function allEvents() {
  const all = Object.entries(BY_CATEGORY).flatMap(([category, table]) =>
    Object.entries(table).map(([type, entry]) => [category, type, entry] as const),
  );
  invariant(all.length === Object.keys(events).length, 'every event of the catalogue stands in one room');
  const { aggregates } = lendingDomain();
  for (const category of Object.keys(BY_CATEGORY)) invariant(aggregates.has(category), `${category} is folded`);
  return all;
}

// ---------------------------------------------------------------------------------------------------------- pages

function eventsPage(): string {
  const sections = Object.entries(BY_CATEGORY).map(([category, table]) => {
    const entries = Object.entries(table).map(([type, { version, summary, fields }]) => {
      const schema = `schemas/${type}.v${version}.json`;
      return `### ${type}\n\n${summary} Version ${version}, [schema](${schema}).\n\n${fieldsTable(storedSchema(fields), false)}`;
    });
    return `## Streams \`${category}${category === 'businessDay' ? '' : '-…'}\`\n\n${entries.join('\n')}`;
  });
  return `${HEAD}# Events

What is stored, in streams by category. Every event has the same envelope: \`id\`, \`type\`, \`version\`, \`stream\`,
\`revision\`, \`position\`, \`data\` and \`meta\`; each schema describes the whole of it. An old version stays readable for
ever. A field is always there; \`null\` says that there is none. How they are published on Kafka, in the distributed
profile, is said by [AsyncAPI](asyncapi.json).

${sections.join('\n')}`;
}

function commandsPage(outcomes: ReadonlyMap<string, Outcome>, transfers: ReadonlyMap<string, Outcome>): string {
  const outcomeOf = (name: string): Outcome => {
    const outcome = outcomes.get(name);
    invariant(outcome !== undefined, `the decision of ${name} is found in the code`);
    return outcome;
  };
  const section = ({ name, summary, fields, about }: CommandEntry) => {
    const { events: made, refusals: codes } = outcomeOf(name);
    return `## ${name}

${summary} About \`${about(NAMES)}\`; [schema](schemas/commands/${name}.json).

${fieldsTable(schemaOf(fields), true)}
Events: ${made.map(eventLink).join(', ')}${made.some((type) => transfers.has(type)) ? `; then as [below](#appends-that-follow)` : ''}.
Refusals: ${codes.length === 0 ? 'none of its own' : codes.map(refusalLink).join(', ')}.
`;
  };
  const follow = [...transfers].map(([type, outcome]) => [eventLink(type), outcome.events.map(eventLink).join(', ')]);
  const ours = commands.filter((command) => !command.public);
  return `${HEAD}# Commands

The body is the fields below with \`valueDate\` beside them; \`Idempotency-Key\`, \`Socai-Actor\` and \`If-Match\` are
headers over HTTP, and \`id\`, \`actor\` and \`ifMatch\` in a line of a sheet. A field that is missing, unknown or not as
accepted is refused with the code of its kind; the other refusals of every command are those of the request and of days
in [refusals](refusals.md).

${commands
  .filter((command) => command.public)
  .map(section)
  .join('\n')}
## Appends that follow

Capital that goes from one stream to another takes more than one append. The first event carries all that the next one
needs; whoever finishes, the handler or the recovery after a crash, writes the same bytes.

${table(['After', 'one of'], follow)}
## Commands that only processes send

${table(
  ['Command', 'What it does', 'Events'],
  ours.map(({ name, summary }) => [`\`${name}\``, summary, outcomeOf(name).events.map(eventLink).join(', ')]),
)}`;
}

function queriesPage(): string {
  const sections = queries.map(
    ({ name, summary, parameters, missing }) =>
      `## ${name}\n\n${summary}\n\n${fieldsTable(schemaOf(parameters), true)}${
        missing === undefined ? '' : `\nRefusals: ${refusalLink(missing)}.\n`
      }`,
  );
  return `${HEAD}# Queries

Every query also takes \`asOf\` (value dates up to the end of this day count; default: the open business day), \`knownOn\`
(what was recorded up to the end of this day is known; default: everything) and \`after\` (a token from a command: the
answer covers it).

${sections.join('\n')}`;
}

function refusalsPage(): string {
  const rows = Object.entries(refusals).map(([code, { kind, accepted, vi, en }]) => [
    `<a id="${code.toLowerCase()}"></a>\`${code}\``,
    `${STATUS_OF_KIND[kind]} ${kind}`,
    accepted,
    vi,
    en,
  ]);
  return `${HEAD}# Refusals

A refusal is a problem (RFC 9457) with a stable \`code\`, the fields, and what would be accepted. It binds nothing: after
the cause is mended the same key may be sent again. \`{name}\` is filled in.

${table(['Code', 'Status and kind', 'Accepted', 'Vietnamese', 'English'], rows)}`;
}

// -------------------------------------------------------------------------------------------------------- helpers

/** Any field as its own name in braces: what a stream's name is made of. */
const NAMES = new Proxy({}, { get: (_, name) => `{${String(name)}}` });

const eventLink = (type: string): string => `[${type}](events.md#${type.toLowerCase()})`;
const refusalLink = (code: string): string => `[\`${code}\`](refusals.md#${code.toLowerCase()})`;

function fieldsTable(fields: JsonSchema, ofCaller: boolean): string {
  const rows = [...rowsOf(fields, '', ofCaller)];
  if (rows.length === 0) return 'No fields.\n';
  return table(['Field', 'Kind', ofCaller ? 'Required' : 'May be null', 'What is accepted'], rows);
}

/** One row a field, and below it one a field of what it holds. */
function* rowsOf(schema: JsonSchema, at: string, ofCaller: boolean): Generator<string[]> {
  const required = schema.required as readonly string[];
  for (const [name, whole] of Object.entries(schema.properties as Record<string, JsonSchema>)) {
    const [inner, mayBeNull] = withoutNull(whole);
    const path = `${at}${name}`;
    const isRequired = required.includes(name);
    const accepted = inner.description ?? (inner.type === 'array' ? `at most ${inner.maxItems}` : '');
    yield [`\`${path}\``, kindOf(inner), (ofCaller ? isRequired : mayBeNull) ? 'yes' : '', String(accepted)];
    const item = inner.type === 'array' ? withoutNull(inner.items as JsonSchema)[0] : inner;
    if (item.properties !== undefined) yield* rowsOf(item, `${path}${inner === item ? '.' : '[].'}`, ofCaller);
  }
}

function withoutNull(schema: JsonSchema): readonly [JsonSchema, boolean] {
  const [inner, none] = (schema.anyOf as readonly JsonSchema[] | undefined) ?? [];
  return none?.type === 'null' && inner !== undefined ? [inner, true] : [schema, false];
}

function kindOf(schema: JsonSchema): string {
  if (schema.anyOf !== undefined || String(schema.description).includes('đồng')) return 'amount';
  if (schema.enum !== undefined) return 'code';
  if (schema.format === 'date') return 'day';
  if (schema.type === 'array') return 'list';
  return { integer: 'whole number', string: 'text', boolean: 'yes or no' }[String(schema.type)] ?? String(schema.type);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}
