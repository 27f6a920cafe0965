import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../bin/general-ocr.js', import.meta.url));

export interface CommandOutcome {
  /** Null if a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Sent to its standard input, which is closed then; `open`: nothing is sent and it stays open. */
  readonly stdin?: Uint8Array | 'open';
}

/** Starts the command as a user would. Settings of the tests' own environment do not reach it. */
export function startGeneralOcr(args: readonly string[], options: CommandOptions = {}): ChildProcess {
  const settings = Object.entries(process.env).filter(([name]) => !name.startsWith('OCR_'));
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: options.cwd,
    env: { ...Object.fromEntries(settings), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It may end before it has read everything.
  child.stdin.on('error', () => undefined);
  if (options.stdin !== 'open') child.stdin.end(options.stdin);
  return child;
}

/** Runs the command to its end. */
export function generalOcr(args: readonly string[], options: CommandOptions = {}): Promise<CommandOutcome> {
  return outcomeOf(startGeneralOcr(args, options));
}

/** What a command that was started comes to. */
export async function outcomeOf(child: ChildProcess): Promise<CommandOutcome> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('started without pipes');
  const closed = once(child, 'close');
  const [out, err] = await Promise.all([text(stdout), text(stderr)]);
  await closed;
  return { status: child.exitCode, stdout: out, stderr: err };
}
