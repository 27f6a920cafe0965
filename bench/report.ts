import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import path from 'node:path';
import { availableCpus } from '../src/available-cpus.ts';

/** Writes `NAME.json` with what it was measured on, and prints a table. */
export async function report(
  outDir: string,
  name: string,
  result: Readonly<Record<string, unknown>>,
  table: readonly Readonly<Record<string, string | number>>[],
): Promise<void> {
  const file = path.join(outDir, `${name}.json`);
  await mkdir(outDir, { recursive: true });
  await writeFile(file, `${JSON.stringify({ ...machine(), ...result }, null, 1)}\n`);
  console.log(`\n${markdown(table)}\n\n${file}`);
}

function machine(): Record<string, unknown> {
  return {
    date: new Date().toISOString(),
    node: process.version,
    processor: cpus()[0]?.model ?? 'unknown',
    cpus: availableCpus(),
    memoryMb: Math.round(totalmem() / 2 ** 20),
    // What else the machine is doing shows here; figures of a busy machine are only good for ratios.
    loadAverage: loadavg()[0],
  };
}

function markdown(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => row[column] ?? ''))),
  ].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export const rounded = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;
