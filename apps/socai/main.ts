import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commands } from '../../libs/lending/catalogue.js';
import { queries } from '../../libs/projections/catalogue.js';
import type { Host } from '../../libs/surface/cli/host.js';
import { runCommandLine } from '../../libs/surface/cli/program.js';
import { reach, reachEvents } from './directory.js';

/* The composition root of the embedded profile: one process, two files. Only here are adapters named. */

const benchMain = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

function bench(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--expose-gc', benchMain, ...args], { stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

const argv = process.argv.slice(2);
// What a note of the holder says of this process: the verb that it was called for.
const verb = argv.find((word) => !word.startsWith('-')) ?? 'command';

const host: Host = {
  ...{ commands, queries, environment: process.env },
  ...{ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
  reach: (data, purpose, { simulated }) =>
    reach(data, purpose, verb, {
      simulated,
      thread: verb === 'rebuild',
      onFault: (error) => process.stderr.write(`${String(error)}\n`),
    }),
  reachEvents,
  // Nest is loaded by those who serve only: a query on the command line does not wait for it.
  serve: async (request) => (await import('./serve.js')).serveDirectory(request),
  simulate: async (request) => (await import('./simulate.js')).simulateDirectory(request),
  importHistory: async (request) => (await import('./import.js')).importInto(process.env, request),
  bench: existsSync(benchMain) ? bench : null,
};

// Whoever reads our output may have seen enough (`socai events | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

process.exitCode = await runCommandLine(host, argv);
