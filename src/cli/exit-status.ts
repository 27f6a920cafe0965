/** What a command ends with. docs/command-line.md and the help have the same table (`npm run cli-docs`). */
export const EXIT_STATUS = {
  done: 0,
  failed: 1,
  usage: 2,
  engine: 3,
  output: 4,
  interrupted: 130,
  closedPipe: 141,
  terminated: 143,
} as const;

export type ExitStatus = (typeof EXIT_STATUS)[keyof typeof EXIT_STATUS];

/** For people. From 130 on it is 128 and the number of the signal, as shells count. */
export const EXIT_STATUS_MEANINGS: Readonly<Record<keyof typeof EXIT_STATUS, string>> = {
  done: 'everything that was asked for is done',
  failed: 'something is not: a picture could not be read, a model pack is missing, doctor found a fault',
  usage: 'the command line or the settings are wrong; nothing was done',
  engine: 'the engine did not start, or stopped working',
  output: 'a result could not be written: disk full, no permission',
  interrupted: 'ended by Ctrl-C; what was done is kept',
  closedPipe: 'whoever read standard output went away',
  terminated: 'ended by SIGTERM; what was done is kept',
};

/** An end that the command foresees: `message` goes to standard error, `status` to the caller. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly status: ExitStatus;

  constructor(status: ExitStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(EXIT_STATUS.usage, message);
}
