import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { availableCpus } from '../src/available-cpus.ts';
import { startService } from '../test/running-service.ts';
import type { LabelledImage } from './labelled-set.ts';
import { PATIENT, postSet } from './post-set.ts';
import { report, rounded } from './report.ts';

const COMMAND = fileURLToPath(new URL('../bin/general-ocr.js', import.meta.url));

interface Timed {
  /** Of reading, without the start of engine processes. */
  readonly seconds: number;
  /** From starting the program to the last result. */
  readonly withStart: number;
  /** Texts of each picture, in its order. */
  readonly texts: Readonly<Record<string, readonly string[]>>;
}

/**
 * Reads the set with the service (as many requests at a time as engine processes) and with `general-ocr read`, one after
 * the other in each round, the first of them in turns. Ends with an error when their texts differ.
 */
export async function measureCommandLine(set: readonly LabelledImage[], rounds: number, outDir: string): Promise<void> {
  const processes = availableCpus();
  const folder = await mkdtemp(path.join(tmpdir(), 'general-ocr-bench-'));
  const measured: { round: number; service: Timed; command: Timed }[] = [];
  try {
    await Promise.all(set.map(({ file, bytes }) => writeFile(path.join(folder, file), bytes)));
    for (let round = 1; round <= rounds; round++) {
      const timed = async () => ({ command: await runCommand(set, folder, processes) });
      const served = async () => ({ service: await runService(set, processes) });
      const both =
        round % 2 === 1 ? { ...(await served()), ...(await timed()) } : { ...(await timed()), ...(await served()) };
      compareTexts(both.service, both.command);
      measured.push({ round, ...both });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const rows = measured.map(({ round, service, command }) => ({
    round,
    'service pages/s': rounded(set.length / service.seconds, 2),
    'command pages/s': rounded(set.length / command.seconds, 2),
    'command / service': rounded(service.seconds / command.seconds, 3),
    'with start': rounded(service.withStart / command.withStart, 3),
  }));
  const figures = measured.map(({ round, service, command }) => ({
    round,
    service: { seconds: service.seconds, withStart: service.withStart },
    command: { seconds: command.seconds, withStart: command.withStart },
  }));
  await report(
    outDir,
    'command-line',
    { engineProcesses: processes, pages: set.length, sameTexts: true, figures },
    rows,
  );
}

async function runService(set: readonly LabelledImage[], processes: number): Promise<Timed> {
  const service = await startService({ ...PATIENT, OCR_ENGINE_PROCESSES: String(processes) });
  try {
    const { predictions, seconds } = await postSet(service.url, set, processes);
    const texts = Object.entries(predictions).map(([file, lines]) => [file, (lines ?? []).map(({ words }) => words)]);
    return { seconds, withStart: seconds + service.readyMs / 1000, texts: Object.fromEntries(texts) };
  } finally {
    await service.stop();
  }
}

async function runCommand(set: readonly LabelledImage[], folder: string, processes: number): Promise<Timed> {
  const out = path.join(folder, 'out');
  const start = performance.now();
  const args = ['read', ...set.map(({ file }) => file), '-f', 'json', '-o', out, '--force', '-j', String(processes)];
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: folder,
    env: { ...process.env, ...PATIENT },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  const withStart = (performance.now() - start) / 1000;
  const seconds = Number(/ in ([\d.]+) s/.exec(said)?.[1]);
  if (status !== 0 || !(seconds > 0)) throw new Error(`general-ocr read ended with ${status}: ${said}`);
  const texts = await Promise.all(
    set.map(async ({ file }) => {
      const result = await readFile(path.join(out, `${path.parse(file).name}.json`), 'utf8');
      const { pages } = JSON.parse(result) as { pages: { lines: { text: string }[] }[] };
      return [file, pages.flatMap(({ lines }) => lines.map((line) => line.text))];
    }),
  );
  return { seconds, withStart, texts: Object.fromEntries(texts) as Timed['texts'] };
}

function compareTexts(service: Timed, command: Timed): void {
  for (const [file, texts] of Object.entries(service.texts)) {
    if (JSON.stringify(texts) !== JSON.stringify(command.texts[file])) throw new Error(`${file} was read differently`);
  }
}
