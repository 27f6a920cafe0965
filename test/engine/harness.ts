import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { type Engine, type EngineOptions, startEngine } from '../../src/engine/engine.ts';
import type { Page } from '../../src/ocr/page.ts';
import type { Command, StartMode } from './fake-engine-process.ts';

/** One thing that the engine logged. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface TestEngine {
  readonly engine: Engine;
  readonly logged: LogEntry[];
  /** Reads the command as an image; without a signal, one that never aborts. */
  read(command: Command, signal?: AbortSignal): Promise<Page>;
  pids(): number[];
}

/** An engine of fake processes that is closed after the test, when none of its processes may be left. */
export function startTestEngine(t: Test, options: Partial<EngineOptions> & { modelPack?: StartMode } = {}): TestEngine {
  const logged: LogEntry[] = [];
  const keep =
    (level: LogEntry['level']) =>
    (fields: object, message: string): void => {
      logged.push({ level, fields: fields as LogEntry['fields'], message });
    };
  const engine = startEngine({
    processes: 1,
    queueLength: 4,
    pageTimeoutMs: 20_000,
    memoryLimitBytes: 1_000_000,
    modelsDir: t.testdir({}),
    modelPack: 'works',
    entry: new URL('./fake-engine-process.ts', import.meta.url),
    log: { info: keep('info'), warn: keep('warn'), error: keep('error') },
    ...options,
  });
  t.teardown(() => engine.close());
  return {
    engine,
    logged,
    read: (command, signal = new AbortController().signal) => engine.read(imageOf(command), { maxSide: 4096 }, signal),
    pids: () => engine.status().processes.map(({ pid }) => pid),
  };
}

export function imageOf(command: Command): Buffer {
  return Buffer.from(JSON.stringify(command));
}

export function textOf(page: Page): string {
  return page.lines.map(({ text }) => text).join('\n');
}

/** The fake processes put their pid into the page. */
export function readerOf(page: Page): number {
  return page.width;
}

/** False once the process is gone and reaped: a zombie can still be signalled. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for something that happens elsewhere and tells nobody. */
export async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`still not so after 10 s: ${condition}`);
    await sleep(2);
  }
}
