import { runService } from '../distributed/service.js';
import { startQueryApi } from './query-api.js';

await runService('query-api', startQueryApi);
