/*
 * `npm test`: builds, checks, and runs every spec. With words after `--` (`npm test -- loan`) it builds and runs the
 * specs whose paths hold them, without the checks.
 */
import { spawnSync } from 'node:child_process';

const args = process.argv.slice(2);
const chosen = args.some((arg) => !arg.startsWith('-'));

run('build', 'npm', ['run', '--silent', 'build']);
if (!chosen) run('check', 'npm', ['run', '--silent', 'check']);
run('specs', 'npm', ['run', '--silent', 'jest', '--', '--maxWorkers=2', ...args]);

function run(name, command, rest) {
  const began = performance.now();
  const { status } = spawnSync(command, rest, { stdio: 'inherit' });
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.error(`${name}: ${status === 0 ? 'done' : 'failed'} in ${seconds} s`);
  if (status !== 0) process.exit(status ?? 1);
}
