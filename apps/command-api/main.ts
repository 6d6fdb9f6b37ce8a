import { runService } from '../distributed/service.js';
import { startCommandApi } from './command-api.js';

await runService('command-api', startCommandApi);
