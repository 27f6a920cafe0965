import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  findPack,
  readManifest,
  type DetectorParameters,
  type PackEntry,
  type RecognizerParameters,
} from '../models/manifest.ts';
import { ModelPackError } from '../models/model-pack-error.ts';
import { sha256Of } from '../models/sha256.ts';
import { charsetFromDictionary, type Charset } from './charset.ts';

/** A named, hashed set of models with its parameters, ready to be loaded. */
export interface ModelPack {
  readonly name: string;
  /** The first digits of a SHA-256 over the hashes of its files: another file, another version. */
  readonly version: string;
  /** Absolute if the models folder was. */
  readonly detectorPath: string;
  readonly recognizerPath: string;
  /** Class index -> character: index 0 `''` is the blank, the last one a space. */
  readonly charset: Charset;
  readonly detector: Readonly<DetectorParameters>;
  readonly recognizer: Readonly<RecognizerParameters>;
}

/** Says how the files of a pack come (back) into place. */
function remedyFor(pack: Pick<PackEntry, 'name' | 'embedded'>): string {
  return pack.embedded
    ? 'It comes with the package: install it again, or check it out again.'
    : `Fetch it: npm run models -- ${pack.name}`;
}

/**
 * Opens a model pack of a models folder: every file is there and is, by its SHA-256, the one that the manifest names (10 ms
 * for the embedded pack). The models themselves are not loaded.
 *
 * @throws {ModelPackError} with what to do: the manifest is faulty, the pack unknown, not fetched or damaged
 */
export async function openModelPack(modelsDir: string, name: string): Promise<ModelPack> {
  const entry = findPack(await readManifest(modelsDir), name);
  const folder = path.join(modelsDir, entry.name);
  const { files } = entry;
  const [, , dictionary] = await Promise.all([
    readVerified(folder, files.detector, entry),
    readVerified(folder, files.recognizer, entry),
    readVerified(folder, files.dictionary, entry),
  ]);
  return {
    name: entry.name,
    version: versionOf(entry),
    detectorPath: path.join(folder, files.detector.file),
    recognizerPath: path.join(folder, files.recognizer.file),
    charset: readCharset(dictionary, path.join(folder, files.dictionary.file), entry),
    detector: entry.detector,
    recognizer: entry.recognizer,
  };
}

/** Digits of a version: with 48 bits nobody meets two packs of one name and version by chance. */
const VERSION_DIGITS = 12;

function versionOf({ files }: PackEntry): string {
  const hashes = [files.detector, files.recognizer, files.dictionary].map(({ sha256 }) => sha256 ?? '');
  return sha256Of(Buffer.from(hashes.join('\n'))).slice(0, VERSION_DIGITS);
}

async function readVerified(
  folder: string,
  expected: { file: string; sha256?: string },
  pack: PackEntry,
): Promise<Buffer> {
  const file = path.join(folder, expected.file);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const what = missing
      ? 'is not there'
      : `cannot be read (${cause instanceof Error ? cause.message : String(cause)})`;
    throw new ModelPackError('NOT_FETCHED', `Model pack ${pack.name}: ${file} ${what}. ${remedyFor(pack)}`, { cause });
  }
  if (expected.sha256 !== undefined && sha256Of(bytes) !== expected.sha256) {
    throw new ModelPackError(
      'DAMAGED',
      `Model pack ${pack.name}: ${file} is not the file that the manifest names (its SHA-256 differs). ${remedyFor(pack)}`,
    );
  }
  return bytes;
}

function readCharset(bytes: Buffer, file: string, pack: PackEntry): Charset {
  try {
    // Not `readFile(..., 'utf8')` and no TextDecoder with its defaults: those would drop a byte order mark, which may be a character here.
    return charsetFromDictionary(bytes.toString('utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelPackError('DAMAGED', `Model pack ${pack.name}: ${file}: ${reason}. ${remedyFor(pack)}`, { cause });
  }
}
