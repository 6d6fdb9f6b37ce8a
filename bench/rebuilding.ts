import { invariant } from '../libs/kernel/result.js';
import type { Row } from './measurement.js';
import { payersOn } from './payers.js';
import { percentiles } from './percentiles.js';

/** The lightest: what stands beside it is what is looked at, and the programme's table has all six without load. */
const MODEL = 'capital-plan';
const QUESTION = `${MODEL}?programme=GQVL`;
/** Tellers who pay meanwhile: as many as leave a rebuild its share of two cores. */
const TELLERS = 4;

/** A read model built anew while tellers pay and somebody reads it, one query after another: none may fail. */
export async function rebuildBeside(port: number): Promise<readonly Row[]> {
  const { base, payers } = await payersOn(port);
  const reading = { goesOn: true, times: [] as number[] };
  const read = async () => {
    while (reading.goesOn) {
      const began = performance.now();
      const answer = await fetch(base + QUESTION);
      await answer.arrayBuffer();
      invariant(answer.ok, `a query beside a rebuild is answered, not with ${answer.status}`);
      reading.times.push(performance.now() - began);
    }
  };
  const { result, seconds, times } = await payers.beside(async () => {
    const reader = read();
    try {
      return await rebuilt(base);
    } finally {
      reading.goesOn = false;
      await reader;
    }
  }, TELLERS);
  payers.end();
  invariant(result.difference === null && result.switched, `the rebuilt ${MODEL} is the live one`);
  return [
    { what: `${MODEL} rebuilt while ${TELLERS} tellers pay, events`, value: result.events / seconds, unit: '/s' },
    { what: 'queries of it meanwhile, none of which failed', value: reading.times.length, unit: 'queries' },
    { what: 'such a query, p99', value: percentiles(reading.times).p99, unit: 'ms' },
    { what: 'a command beside it, p99', value: percentiles(times).p99, unit: 'ms' },
  ];
}

interface Report {
  readonly events: number;
  readonly switched: boolean;
  readonly difference: unknown;
}

/** Its progress is asked for as well, so that the answer begins at once however long it takes. */
async function rebuilt(base: string): Promise<Report> {
  const answer = await fetch(`${base}projections/${MODEL}/rebuild`, {
    method: 'POST',
    headers: { accept: 'application/x-ndjson' },
  });
  const last = (await answer.text()).trim().split('\n').at(-1) ?? '';
  const report = JSON.parse(last) as Report;
  invariant(Object.hasOwn(report, 'switched'), `the rebuild is reported, not refused: ${last}`);
  return report;
}
