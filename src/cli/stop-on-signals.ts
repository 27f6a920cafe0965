import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import { EXIT_STATUS, type ExitStatus } from './exit-status.ts';

/** Turns the first Ctrl-C or SIGTERM into an orderly end. A second one ends the process at once. */
export interface StopOnSignals {
  readonly signal: AbortSignal;
  /** What the command is to end with once it was stopped. */
  readonly status: ExitStatus | undefined;
  /** Listens no longer. */
  end(): void;
}

const STATUS = { SIGINT: EXIT_STATUS.interrupted, SIGTERM: EXIT_STATUS.terminated } as const;

export function stopOnSignals(stderr: Writable): StopOnSignals {
  const controller = new AbortController();
  let status: ExitStatus | undefined;
  const onSignal = (signal: keyof typeof STATUS): void => {
    // The engine processes see their channel close, and end.
    if (controller.signal.aborted) process.exit(128 + constants.signals[signal]);
    status = STATUS[signal];
    stderr.write('\nStopping: what is being read is finished and kept. Once more ends it at once.\n');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    end() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
