/** Of at least one time: half of them are not above `p50`, 99 of 100 not above `p99`. */
export function percentiles(times: readonly number[]): { readonly p50: number; readonly p99: number } {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] as number;
  return { p50: at(0.5), p99: at(0.99) };
}
