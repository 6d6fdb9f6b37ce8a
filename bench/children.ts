import type { ChildProcess } from 'node:child_process';

/** A process that ends when this one does, whatever ends it but a kill. */
export function endWithUs(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): void {
  const end = () => child.kill(signal);
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
}
