import type { Readable, Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };
export type Input = Readable & { readonly isTTY?: boolean };

/** What a command has of the world besides the file system. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Input;
  /** Results and nothing else. */
  readonly stdout: Output;
  /** Everything else: progress, reports, errors. */
  readonly stderr: Output;
  /** Starts the service in this process, which it ends; it reads the environment itself, as `npm start` does. */
  readonly serve: () => Promise<void>;
  /** Starts a worker of `/v1/jobs` in this process, in the same way. */
  readonly work: () => Promise<void>;
}

/** Writes and waits until it is taken, so that a slow reader slows the command down instead of filling its memory. */
export function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Writes one line. */
export const writeLine = (stream: Writable, line: string): Promise<void> => write(stream, `${line}\n`);
