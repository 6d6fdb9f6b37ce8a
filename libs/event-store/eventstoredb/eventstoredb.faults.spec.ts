import { jest } from '@jest/globals';
import { faultCases } from './testing/faults.js';

jest.setTimeout(60_000);

describe('EventStoreDB by the client eventstore, when something goes wrong:', () => faultCases('eventstore'));
