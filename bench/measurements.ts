import { measureAppend } from './append.js';
import { measureChain } from './chain.js';
import { measureCommands } from './commands.js';
import { measureEmmett } from './emmett.js';
import { measureHttp } from './http.js';
import { measureKafka } from './kafka.js';
import type { Measurement } from './measurement.js';
import { measureMongodb } from './mongodb.js';
import { measurePage } from './page.js';
import { measureProgramme, measureRebuild } from './programme.js';
import { measureReads } from './reads.js';
import { measureServed } from './served.js';
import { measureSheet } from './sheet.js';
import { measureSizes } from './sizes.js';
import { measureStart } from './start.js';

/** In the order of the table. */
export const measurements: readonly Measurement[] = [
  { name: 'emmett', run: measureEmmett },
  { name: 'commands', run: measureCommands },
  { name: 'http', run: measureHttp },
  { name: 'sheet', run: measureSheet },
  { name: 'reads', run: measureReads },
  { name: 'append', run: measureAppend },
  { name: 'kafka', run: measureKafka },
  { name: 'mongodb', run: measureMongodb },
  { name: 'chain', run: measureChain },
  { name: 'sizes', run: measureSizes },
  { name: 'start', run: measureStart },
  { name: 'page', run: measurePage },
  { name: 'programme', scaled: true, run: measureProgramme },
  { name: 'rebuild', scaled: true, run: measureRebuild },
  { name: 'served', scaled: true, run: measureServed },
];
