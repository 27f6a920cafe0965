import { ConfigError, loadConfig, type Config } from '../config.ts';
import { engineOptions } from '../engine-options.ts';
import { startEngine, type Engine } from '../engine/engine.ts';
import { type CommandContext, write, writeLine } from './context.ts';
import { CommandError, EXIT_STATUS, type ExitStatus, usageError } from './exit-status.ts';
import type { Format } from '../formats/render-document.ts';
import { listPictures, type NotFound, type PictureList, STDIN } from './picture-list.ts';
import { isDone, type PlannedPicture, planOutputs } from './output-plan.ts';
import { createProgressBar, formatRate } from './progress-bar.ts';
import { type Outcome, readPictures } from './read-pictures.ts';
import { OVERLAY, resultFormat, type ResultFormat } from './result-formats.ts';
import { quietLog, verboseLog } from './engine-messages.ts';
import { stopOnSignals } from './stop-on-signals.ts';

/** Options of `general-ocr read`, parsed. */
export interface ReadArguments {
  /** Each once. Left out: text. */
  readonly format?: readonly Format[];
  readonly out?: string;
  readonly overlay?: true;
  /** Words, or characters, with their places in JSON; characters in hOCR and ALTO as well. */
  readonly words?: boolean;
  readonly characters?: boolean;
  readonly force?: true;
  /** Engine processes; left out: OCR_ENGINE_PROCESSES, which is one for each CPU by default. */
  readonly jobs?: number;
  /** Left out: OCR_MIN_SCORE. */
  readonly minScore?: number;
  readonly quiet?: true;
  readonly verbose?: true;
}

/**
 * Pictures in memory for each engine process: the one that it reads. Opening the next and sending it takes milliseconds (1 MB
 * 2.5 ms, 12 MB 33 ms by structured clone on one core of an EPYC), reading it hundreds.
 */
const PICTURES_PER_PROCESS = 1;

/**
 * Unless OCR_PAGE_TIMEOUT_MS says otherwise. Behind the service's 15 s a client waits; a run over a folder rather waits than
 * loses pages on a machine that is busy. Two CPUs with a load of 25 took more than 15 s for 2 of 29 pages.
 */
const PATIENT_PAGE_TIMEOUT_MS = 120_000;

/** `general-ocr read`: what the words name, read by as many engine processes as there are CPUs, or pictures. */
export async function read(
  words: readonly string[],
  options: ReadArguments,
  context: CommandContext,
): Promise<ExitStatus> {
  const config = readSettings(options, context.env);
  const formats = formatsOf(options);
  refuseWrongUse(words, formats, options, context);
  const list = await listPictures(words, options.out);
  const planned = plan(list, formats, options);
  refuseJumble(planned, formats);
  const todo: PlannedPicture[] = [];
  for (const picture of planned) if (options.force || !(await isDone(picture))) todo.push(picture);

  const stop = stopOnSignals(context.stderr);
  const run = new Run(context, { ...options, config, formats, stop: stop.signal });
  try {
    if (todo.length > 0) await run.read(todo);
  } finally {
    stop.end();
    await run.report(list.notFound, planned.length - todo.length);
  }
  return stop.status ?? run.status(list.notFound);
}

interface RunOptions extends ReadArguments {
  readonly config: Config;
  readonly formats: readonly ResultFormat[];
  readonly stop: AbortSignal;
}

/** One run over what is left to do. */
class Run {
  readonly #context: CommandContext;
  readonly #options: RunOptions;
  readonly #failed: { readonly file: string; readonly message: string }[] = [];
  #read = 0;
  #skipped = 0;
  #seconds = 0;

  constructor(context: CommandContext, options: RunOptions) {
    this.#context = context;
    this.#options = options;
  }

  async read(pictures: readonly PlannedPicture[]): Promise<void> {
    const { config, stop, verbose } = this.#options;
    const processes = Math.min(config.OCR_ENGINE_PROCESSES, pictures.length);
    const concurrency = processes * PICTURES_PER_PROCESS;
    const engine = startEngine({
      ...engineOptions(config),
      processes,
      // A page whose process died waits again beside those that wait already.
      queueLength: concurrency + processes,
      log: verbose ? verboseLog(this.#context.stderr) : quietLog,
    });
    try {
      if (await isReady(engine, stop)) await this.#readAll(engine, pictures, concurrency);
      else this.#skipped = pictures.length;
    } finally {
      await engine.close();
    }
  }

  async #readAll(engine: Engine, pictures: readonly PlannedPicture[], concurrency: number): Promise<void> {
    const { config, formats, quiet, stop } = this.#options;
    const { stdin, stdout, stderr } = this.#context;
    const start = performance.now();
    const bar = quiet || pictures.length === 1 ? undefined : createProgressBar(stderr, { total: pictures.length });
    const outcomes = readPictures(pictures, {
      engine,
      concurrency,
      formats,
      limits: config,
      stdin,
      stop,
      onDone: ({ kind }) => bar?.advance(kind === 'failed'),
    });
    const [format] = formats;
    try {
      for await (const outcome of outcomes) {
        if (outcome.kind === 'read' && outcome.result !== undefined) {
          bar?.clear();
          if (this.#read > 0 && format?.between) await write(stdout, format.between);
          await write(stdout, outcome.result);
        }
        this.#count(outcome);
      }
    } finally {
      bar?.clear();
      this.#seconds = (performance.now() - start) / 1000;
    }
  }

  #count(outcome: Outcome): void {
    if (outcome.kind === 'read') this.#read += 1;
    else if (outcome.kind === 'failed') this.#failed.push(outcome);
    else this.#skipped += 1;
  }

  /** Says on standard error how the run went. One picture that was read and printed needs no words. */
  async report(notFound: readonly NotFound[], before: number): Promise<void> {
    const { stderr } = this.#context;
    const { quiet, out } = this.#options;
    const failed = [...notFound, ...this.#failed];
    const all = this.#read + before + this.#skipped + failed.length;
    if (!quiet && (all > 1 || out !== undefined)) {
      const rate =
        this.#read > 0 ? ` in ${this.#seconds.toFixed(1)} s (${formatRate(this.#read / this.#seconds)})` : '';
      const parts = [`${this.#read} read${rate}`];
      if (before > 0) parts.push(`${before} done before`);
      if (failed.length > 0) parts.push(`${failed.length} failed`);
      if (this.#skipped > 0) parts.push(`${this.#skipped} left: the same command goes on with them`);
      await writeLine(stderr, `${parts.join(', ')}.`);
    }
    for (const { file, message } of failed) await writeLine(stderr, `${file}: ${message}`);
  }

  status(notFound: readonly NotFound[]): ExitStatus {
    return notFound.length + this.#failed.length > 0 ? EXIT_STATUS.failed : EXIT_STATUS.done;
  }
}

/**
 * Settings of the environment with what the options say instead.
 *
 * @throws {CommandError} listing all faults
 */
export function readSettings(options: Pick<ReadArguments, 'jobs' | 'minScore'>, env: CommandContext['env']): Config {
  try {
    const config = loadConfig(env);
    return {
      ...config,
      OCR_PAGE_TIMEOUT_MS: env.OCR_PAGE_TIMEOUT_MS ? config.OCR_PAGE_TIMEOUT_MS : PATIENT_PAGE_TIMEOUT_MS,
      OCR_ENGINE_PROCESSES: options.jobs ?? config.OCR_ENGINE_PROCESSES,
      OCR_MIN_SCORE: options.minScore ?? config.OCR_MIN_SCORE,
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw usageError(`The settings are not valid:\n${error.message.replace(/^/gm, '  ')}`);
  }
}

function formatsOf({ format = ['text'], overlay, words = false, characters = false }: ReadArguments): ResultFormat[] {
  const formats = format.map((name) => resultFormat(name, { words, characters }));
  return overlay ? [...formats, OVERLAY] : formats;
}

function refuseWrongUse(
  words: readonly string[],
  formats: readonly ResultFormat[],
  { out, overlay }: ReadArguments,
  { stdin, stdout }: CommandContext,
): void {
  if (words.includes(STDIN) && stdin.isTTY) {
    throw usageError('Standard input (-) is a terminal: send a picture to it, as in general-ocr read - < scan.png');
  }
  if (out !== undefined) return;
  if (overlay) throw usageError('--overlay needs --out: pictures are not written to the terminal.');
  if (formats.length > 1) throw usageError('Several formats need --out.');
  if (formats[0].binary && stdout.isTTY) throw usageError('This format is not for a terminal: use --out, or > FILE.');
}

function plan({ pictures }: PictureList, formats: readonly ResultFormat[], { out }: ReadArguments): PlannedPicture[] {
  if (out === undefined) return pictures.map((picture) => ({ ...picture, outputs: [] }));
  return planOutputs(
    pictures,
    out,
    formats.map(({ extension }) => extension),
  );
}

/** Two documents in a row on standard output would be none. */
function refuseJumble(planned: readonly PlannedPicture[], [format]: readonly ResultFormat[]): void {
  const toStdout = planned.filter(({ outputs }) => outputs.length === 0).length;
  if (toStdout > 1 && format?.between === undefined) {
    throw usageError('Several pictures in this format need --out: one file holds one document.');
  }
}

/** False if it was stopped before. */
async function isReady(engine: Engine, stop: AbortSignal): Promise<boolean> {
  const stopped = new Promise<false>((resolve) => {
    if (stop.aborted) resolve(false);
    stop.addEventListener('abort', () => resolve(false), { once: true });
  });
  try {
    return await Promise.race([engine.whenReady().then(() => true), stopped]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(
      EXIT_STATUS.engine,
      `The engine cannot start: ${reason}\ngeneral-ocr doctor says what to change.`,
      { cause: error },
    );
  }
}
