import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/* A place where the workers of one run of jest agree on the servers that they share (`test/services.ts`). */
export default async function setup() {
  process.env.SOCAI_TEST_SERVICES = await mkdtemp(join(tmpdir(), 'socai-test-services-'));
  process.env.SOCAI_TEST_OWNER = String(process.pid);
}
