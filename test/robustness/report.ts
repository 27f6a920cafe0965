/** What a script found: every figure is printed as it comes, and each promise is a check that holds or does not. */
export class Report {
  #passed = 0;
  #failed = 0;

  /** A figure that no promise is tied to. */
  note(text: string): void {
    process.stdout.write(`   ${text}\n`);
  }

  check(what: string, holds: boolean): void {
    process.stdout.write(`${holds ? 'ok' : 'NOT OK'} ${what}\n`);
    if (holds) this.#passed += 1;
    else this.#failed += 1;
  }

  /** Prints the sum and gives the exit code. */
  finish(): number {
    process.stdout.write(`${this.#passed} passed, ${this.#failed} failed\n`);
    return this.#failed === 0 ? 0 : 1;
  }
}

/** @param share 0..1; the smallest value that so many of `values` do not pass (nearest rank); NaN without values */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? NaN;
}

/** How often each value occurs, as text: `200 x 14, 429 x 3`. */
export function tally(values: Iterable<string | number>): string {
  const counts = new Map<string | number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${value} x ${count}`).join(', ') || 'none';
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
/** Infinity stands for what did not happen in the time that was waited. */
export const milliseconds = (ms: number): string => (ms === Infinity ? 'never' : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`);
