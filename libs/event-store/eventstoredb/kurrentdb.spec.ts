import { jest } from '@jest/globals';
import { contractBy } from './testing/contract.js';

// The server, the client and the suite share the machine with whatever else runs.
jest.setTimeout(60_000);

await contractBy('kurrent');
