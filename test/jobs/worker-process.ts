import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `general-ocr worker` as a process of its own. */
export interface WorkerProcess {
  readonly process: ChildProcess;
  /** Settles when it takes pictures. */
  readonly ready: Promise<void>;
  readonly log: readonly string[];
  /** Ends it; resolves with its exit code when it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export function startWorker(settings: Readonly<Record<string, string>>): WorkerProcess {
  const child = spawn(process.execPath, ['src/cli.ts', 'worker'], {
    cwd: ROOT,
    env: { ...process.env, OCR_ENGINE_PROCESSES: '1', ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const log: string[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.push(line);
      if (line.includes('"worker ready"')) resolve();
    });
    exited.then(([code]) => reject(new Error(`the worker ended with ${code}:\n${log.join('\n')}`)), reject);
  });
  // Whoever kills it before it is ready does not wait for that.
  ready.catch(() => undefined);
  return {
    process: child,
    ready,
    log,
    async end(signal) {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
