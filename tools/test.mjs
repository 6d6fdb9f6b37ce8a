/*
 * `npm test`: builds, checks, and runs every spec. With words after `--` (`npm test -- loan`) it builds and runs the
 * specs whose paths hold them, without the checks.
 */
import { spawnSync } from 'node:child_process';

const args = process.argv.slice(2);
const chosen = args.some((arg) => !arg.startsWith('-'));

if (!run('build', 'npm', ['run', '--silent', 'build'])) process.exit(1);
// The tests are run though a check fails: who mends one wants to know of the other. The count is that of the tests.
const { TEST_COUNTS: _, ...uncounted } = process.env;
const checked = chosen || run('check', 'npm', ['run', '--silent', 'check'], uncounted);
// One more than two cores: there is always a spec that waits for a server, a process or the patience of a client.
const tested = run('specs', 'npm', ['run', '--silent', 'jest', '--', '--maxWorkers=3', ...args]);
process.exit(checked && tested ? 0 : 1);

function run(name, command, rest, env = process.env) {
  const began = performance.now();
  const { status } = spawnSync(command, rest, { stdio: 'inherit', env });
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.error(`${name}: ${status === 0 ? 'done' : 'failed'} in ${seconds} s`);
  return status === 0;
}
