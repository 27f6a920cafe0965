/** Entry of the command line `general-ocr`; src/cli/program.ts has the commands. */
import { CommanderError } from 'commander';
import { CommandError, EXIT_STATUS, type ExitStatus } from './cli/exit-status.ts';
import { createProgram } from './cli/program.ts';
import { ModelPackError } from './models/model-pack-error.ts';

/** The status for an error that a command foresees, which is said on standard error; any other is a bug and goes on. */
function statusOf(error: unknown): ExitStatus {
  // commander has said it, or shown the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_STATUS.done : EXIT_STATUS.usage;
  if (error instanceof CommandError) {
    console.error(error.message);
    return error.status;
  }
  if (error instanceof ModelPackError) {
    console.error(error.message);
    return error.code === 'UNKNOWN_PACK' ? EXIT_STATUS.usage : EXIT_STATUS.failed;
  }
  throw error;
}

// `general-ocr read ... | head`: whoever read the results has enough, and nobody hears more.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT_STATUS.closedPipe);
});

const { env, stdin, stdout, stderr } = process;
const end = (status: ExitStatus): void => {
  process.exitCode = status;
};
const serve = async (): Promise<void> => {
  await import('./server.ts');
};
const work = async (): Promise<void> => {
  await import('./worker.ts');
};
try {
  await createProgram({ env, stdin, stdout, stderr, serve, work }, end).parseAsync();
} catch (error) {
  end(statusOf(error));
}
