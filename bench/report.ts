import { readFileSync } from 'node:fs';
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

/** One line of progress, with the time. */
export function log(message: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${message}`);
}

/** The value below which this share (0..1) of the values lies: the nearest-rank percentile. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

const versionOf = (name: string): string =>
  (
    JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')) as {
      version: string;
    }
  ).version;

function machine(): Record<string, unknown> {
  return {
    date: new Date().toISOString(),
    versions: { node: process.version, onnxruntime: versionOf('onnxruntime-node'), sharp: versionOf('sharp') },
    settings: Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('OCR_'))),
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
