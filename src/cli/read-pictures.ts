import { createReadStream } from 'node:fs';
import { pMapIterable } from 'p-map';
import type { Config } from '../config.ts';
import type { Engine } from '../engine/engine.ts';
import { OcrError } from '../errors.ts';
import { toDocument, type OcrDocument } from '../formats/document.ts';
import type { ReadOptions } from '../ocr/page.ts';
import { readBounded } from '../source/bounded-read.ts';
import type { Input } from './context.ts';
import { CommandError, EXIT_STATUS } from './exit-status.ts';
import type { PlannedPicture } from './output-plan.ts';
import { STDIN } from './picture-list.ts';
import type { ResultFormat } from './result-formats.ts';
import { writeWhole } from './write-whole.ts';

/** What became of one picture. `skipped`: the run was stopped before it began. */
export type Outcome =
  | { readonly kind: 'read'; readonly file: string; readonly result: string | Uint8Array | undefined }
  | { readonly kind: 'failed'; readonly file: string; readonly message: string }
  | { readonly kind: 'skipped'; readonly file: string };

export interface ReadPicturesOptions {
  readonly engine: Pick<Engine, 'read' | 'status'>;
  /** Pictures in memory at a time, each being read or waiting to be. */
  readonly concurrency: number;
  /** At least one, in the order of a picture's `outputs`. */
  readonly formats: readonly ResultFormat[];
  readonly limits: Pick<Config, 'OCR_MAX_IMAGE_BYTES' | 'OCR_MAX_SIDE' | 'OCR_MIN_SCORE'>;
  readonly stdin: Input;
  /** Once aborted no picture is begun; those that are being read are finished. */
  readonly stop: AbortSignal;
  /** Called as each picture is done, whatever the order of the outcomes. */
  readonly onDone: (outcome: Outcome) => void;
}

/**
 * Results for standard output that may wait for one before them, for each picture that is being read: a dense page takes
 * some ten times as long as a sparse one, and results are small beside pictures.
 */
const RESULTS_AHEAD = 16;

/**
 * Reads pictures, each file only when its turn has come, and writes what it has outputs for. Outcomes come in the order
 * of the pictures; a picture without outputs has its result in the outcome.
 *
 * @throws {CommandError} when a result cannot be written, or the engine no longer works
 */
export async function* readPictures(
  pictures: readonly PlannedPicture[],
  options: ReadPicturesOptions,
): AsyncGenerator<Outcome> {
  const { concurrency, stop, onDone } = options;
  let broken = false;
  const read = async (picture: PlannedPicture): Promise<Outcome> => {
    if (stop.aborted || broken) return { kind: 'skipped', file: picture.file };
    try {
      const outcome = await readOne(picture, options);
      onDone(outcome);
      return outcome;
    } catch (error) {
      broken = true;
      throw error;
    }
  };
  // What is in its file already has nothing to wait for.
  const kept = pictures.some(({ outputs }) => outputs.length === 0) ? concurrency * RESULTS_AHEAD : Infinity;
  yield* pMapIterable(pictures, read, { concurrency, backpressure: kept });
}

async function readOne(picture: PlannedPicture, options: ReadPicturesOptions): Promise<Outcome> {
  const { file, outputs } = picture;
  const { engine, limits } = options;
  try {
    const bytes = await load(picture, options);
    const page = await engine.read(bytes, readOptions(options), new AbortController().signal);
    const document = toDocument([page], { minScore: limits.OCR_MIN_SCORE });
    if (outputs.length === 0) return { kind: 'read', file, result: await options.formats[0].write(document, file) };
    await writeOutputs(picture, document, options);
    return { kind: 'read', file, result: undefined };
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (options.stop.aborted && error === options.stop.reason) return { kind: 'skipped', file };
    if (error instanceof OcrError) {
      if (error.code === 'UNAVAILABLE' && !engine.status().ready) {
        throw new CommandError(EXIT_STATUS.engine, error.message, { cause: error });
      }
      return { kind: 'failed', file, message: `${error.message} (${error.code})` };
    }
    return { kind: 'failed', file, message: fileFault(error) };
  }
}

/** @throws {OcrError} BODY_TOO_LARGE; or what the file system says; or the reason of `stop`, while it waits for a sender */
function load({ file }: PlannedPicture, { stdin, limits, stop }: ReadPicturesOptions): Promise<Buffer> {
  const maxBytes = limits.OCR_MAX_IMAGE_BYTES;
  if (file === STDIN) return readBounded(stdin, { maxBytes, signal: stop });
  return readBounded(createReadStream(file), { maxBytes, signal: new AbortController().signal });
}

function readOptions({ formats, limits }: ReadPicturesOptions): ReadOptions {
  return {
    maxSide: limits.OCR_MAX_SIDE,
    characters: formats.some(({ needs }) => needs.characters),
    picture: formats.some(({ needs }) => needs.picture),
  };
}

async function writeOutputs(
  { file, outputs }: PlannedPicture,
  document: OcrDocument,
  { formats }: ReadPicturesOptions,
): Promise<void> {
  for (const [index, { write }] of formats.entries()) {
    const data = await write(document, file);
    const output = outputs[index];
    await writeWhole(output, data).catch((error: unknown) => {
      throw new CommandError(EXIT_STATUS.output, `${output} cannot be written: ${fileFault(error)}`, { cause: error });
    });
  }
}

const FILE_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file or folder.',
  EACCES: 'Permission denied.',
  EPERM: 'Permission denied.',
  EROFS: 'The file system is read-only.',
  ENOSPC: 'The disk is full.',
  EDQUOT: 'The disk quota is used up.',
  EISDIR: 'It is a folder.',
  ENOTDIR: 'A part of the path is a file, not a folder.',
};

/** @throws what is no fault of the file system: a bug */
function fileFault(error: unknown): string {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
  return FILE_FAULTS[error.code] ?? error.message;
}
