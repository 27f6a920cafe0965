import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findJemalloc } from '../src/engine/allocator.ts';

/** The real service as a process of its own, on a free port. */
export interface RunningService {
  /** Without a slash at the end. */
  readonly url: string;
  readonly process: ChildProcess;
  /** Milliseconds from starting the process to the first 200 of /health/ready. */
  readonly readyMs: number;
  /** Log lines so far. */
  readonly log: readonly string[];
  /** What came on standard error so far. */
  readonly errors: readonly string[];
  /** SIGTERM; gives the exit code once the process is gone. */
  stop(): Promise<number | null>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Far more than any start takes; only a service that will never be ready waits this long. */
const GIVE_UP_MS = 60_000;
const POLL_MS = 20;

export interface StartOptions {
  /** A program and its arguments that run the service: `strace -D …`. It must keep the process id. */
  readonly under?: readonly string[];
  /** As package and image have it: what `npm run build` made last, and the server process with the image's allocator. */
  readonly built?: boolean;
}

/** What docker/Dockerfile and the systemd unit give the server process. */
export const SERVER_NODE_OPTIONS = '--max-semi-space-size=16';

/** How memory is managed in the server process, as docker/Dockerfile sets it; engine processes have settings of their own. */
export function imageMemory(): Readonly<Record<string, string>> {
  const jemalloc = findJemalloc();
  const options = [process.env.NODE_OPTIONS, SERVER_NODE_OPTIONS].filter(Boolean).join(' ');
  return { NODE_OPTIONS: options, ...(jemalloc && { LD_PRELOAD: jemalloc, MALLOC_CONF: 'narenas:2' }) };
}

/** Starts the service, by default `node src/server.ts`, with these settings on top of the environment and waits until it is ready. */
export async function startService(
  settings: Readonly<Record<string, string>> = {},
  { under = [], built = false }: StartOptions = {},
): Promise<RunningService> {
  const start = performance.now();
  const [program, ...args] = [...under, process.execPath, built ? 'dist/server.js' : 'src/server.ts'];
  const child = spawn(program, args, {
    cwd: ROOT,
    env: {
      ...process.env,
      ...(built ? imageMemory() : {}),
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'info',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line);
    process.stderr.write(`${line}\n`);
  });
  const log: string[] = [];
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      log.push(line);
      const address = /listening at (http:\/\/[\d.:]+)/.exec(line)?.[1];
      if (address !== undefined) resolve(address);
    });
    // Below the log level info the address is never told.
    setTimeout(() => reject(new Error(`no address in the log after ${GIVE_UP_MS} ms`)), GIVE_UP_MS).unref();
    exited.then(([code]) => reject(new Error(`the service ended with ${code}:\n${log.join('\n')}`)), reject);
  });
  for (;;) {
    const ready = await fetch(`${url}/health/ready`);
    await ready.arrayBuffer();
    if (ready.ok) break;
    if (performance.now() - start > GIVE_UP_MS) {
      child.kill('SIGKILL');
      throw new Error(`not ready after ${GIVE_UP_MS} ms:\n${log.join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return {
    url,
    process: child,
    readyMs: performance.now() - start,
    log,
    errors,
    async stop() {
      child.kill('SIGTERM');
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
