import type { Writable } from 'node:stream';
import type { EngineLog } from '../engine/engine-log.ts';

const ignore = (): void => undefined;

/** What matters to the user of a command comes as an error; the rest is for whoever looks for its cause (--verbose). */
export const quietLog: EngineLog = { info: ignore, warn: ignore, error: ignore };

/** Every message of the engine as a line. */
export function verboseLog(stderr: Writable): EngineLog {
  const log = (fields: object, message: string): void => {
    stderr.write(`engine: ${message} ${JSON.stringify(fields)}\n`);
  };
  return { info: log, warn: log, error: log };
}
