import { jest } from '@jest/globals';
import { faultCases } from './testing/faults.js';

jest.setTimeout(60_000);

describe('KurrentDB by the client kurrent, when something goes wrong:', () => faultCases('kurrent'));
