import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Static } from 'typebox';
// The checker for plain JSON Schema: importing it takes a third of the time of TypeBox's builder and its values
// (55 of 175 ms), which every engine process pays when it starts.
import { Check, Errors } from 'typebox/schema';
import { ModelPackError } from './model-pack-error.ts';

const SHA256 = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
/** A plain name: what the manifest calls a file is joined to a folder, so it holds no separator and no leading dot. */
const FILE_NAME = { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*$' } as const;
/** Relative, forward slashes, no dot segments: it is appended to an address or to a folder. */
const SOURCE_PATH = {
  type: 'string',
  pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$',
} as const;
const POSITIVE = { type: 'number', exclusiveMinimum: 0 } as const;
const PROBABILITY = { type: 'number', minimum: 0, maximum: 1 } as const;

const MODEL_FILE = {
  type: 'object',
  additionalProperties: false,
  required: ['file', 'sha256'],
  properties: {
    file: FILE_NAME,
    /** Absent for files that nobody of this project has seen; the hash holds all the same. */
    bytes: { type: 'integer', minimum: 1 },
    sha256: SHA256,
    /** Where the file is under the published base address, and in the wheel. Absent: it comes with the package. */
    published: SOURCE_PATH,
    wheel: SOURCE_PATH,
  },
} as const;

const DICTIONARY_FILE = {
  type: 'object',
  additionalProperties: false,
  required: ['file'],
  properties: {
    file: FILE_NAME,
    bytes: { type: 'integer', minimum: 1 },
    /** Absent where the dictionary is only known from a recognizer that nobody of this project has seen. */
    sha256: SHA256,
  },
} as const;

/** What a detector wants and how its probability map is read. PaddleOCR's names are in `models/README.md`. */
const DETECTOR_PARAMETERS = {
  type: 'object',
  additionalProperties: false,
  required: [
    'channelOrder',
    'mean',
    'std',
    'sideMultiple',
    'threshold',
    'boxScoreThreshold',
    'unclipRatio',
    'dilation',
  ],
  properties: {
    /** Order of the three colour planes of the input. */
    channelOrder: { enum: ['BGR', 'RGB'] },
    /** The input is `(value / 255 - mean) / std`, the same for each channel. */
    mean: { type: 'number' },
    std: POSITIVE,
    /** Width and height of the input are multiples of this many pixels. */
    sideMultiple: { type: 'integer', minimum: 1 },
    /** `thresh`: probability from which a pixel of the map is text. */
    threshold: PROBABILITY,
    /** `box_thresh`: boxes with a lower mean probability are dropped. */
    boxScoreThreshold: PROBABILITY,
    /** `unclip_ratio`: a box grows by area x ratio / perimeter. */
    unclipRatio: POSITIVE,
    /** `use_dilation`: the mask is dilated with a 2 x 2 kernel before its contours are traced. */
    dilation: { type: 'boolean' },
  },
} as const;

const RECOGNIZER_PARAMETERS = {
  type: 'object',
  additionalProperties: false,
  required: ['channelOrder', 'mean', 'std', 'height', 'stride'],
  properties: {
    channelOrder: { enum: ['BGR', 'RGB'] },
    mean: { type: 'number' },
    std: POSITIVE,
    /** Height of the input in pixels. */
    height: { type: 'integer', minimum: 1 },
    /** Input pixels (of width) for each time step of the output. */
    stride: { type: 'integer', minimum: 1 },
  },
} as const;

const PACK = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'description', 'licence', 'embedded', 'tested', 'files', 'detector', 'recognizer'],
  properties: {
    name: FILE_NAME,
    description: { type: 'string' },
    /** SPDX identifier. */
    licence: { type: 'string' },
    /** Comes with the package; the others are fetched. */
    embedded: { type: 'boolean' },
    /** This project has run it and measured its accuracy. */
    tested: { type: 'boolean' },
    files: {
      type: 'object',
      additionalProperties: false,
      required: ['detector', 'recognizer', 'dictionary'],
      properties: { detector: MODEL_FILE, recognizer: MODEL_FILE, dictionary: DICTIONARY_FILE },
    },
    detector: DETECTOR_PARAMETERS,
    recognizer: RECOGNIZER_PARAMETERS,
  },
} as const;

const MANIFEST = {
  type: 'object',
  additionalProperties: false,
  required: ['version', 'sources', 'packs'],
  properties: {
    /** Version of this format. */
    version: { const: 1 },
    sources: {
      type: 'object',
      additionalProperties: false,
      required: ['published', 'wheel'],
      properties: {
        /** Base address of the published files; ends with a slash. */
        published: { type: 'string', pattern: '^https?://.+/$' },
        /** Requirement of the Python package that carries some of them, as pip takes it. */
        wheel: { type: 'string', pattern: '^[a-z0-9-]+==[0-9.]+$' },
      },
    },
    packs: { type: 'array', items: PACK },
  },
} as const;

export type Manifest = Static<typeof MANIFEST>;
export type PackEntry = Static<typeof PACK>;
export type ModelFileEntry = Static<typeof MODEL_FILE>;
export type DetectorParameters = Static<typeof DETECTOR_PARAMETERS>;
export type RecognizerParameters = Static<typeof RECOGNIZER_PARAMETERS>;

export const MANIFEST_FILE = 'manifest.json';

/**
 * Reads and checks `manifest.json` of a models folder: the list of model packs with their files, hashes and parameters.
 *
 * @throws {ModelPackError} `BAD_MANIFEST` when it is missing, not JSON or not as described here
 */
export async function readManifest(modelsDir: string): Promise<Manifest> {
  const file = path.join(modelsDir, MANIFEST_FILE);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelPackError(
      'BAD_MANIFEST',
      `The list of model packs ${file} cannot be read (${reason}). OCR_MODELS_DIR must name a folder that holds it; leave it empty for the models that come with the package.`,
      { cause },
    );
  }
  if (Check(MANIFEST, value)) return value;
  const [, errors] = Errors(MANIFEST, value);
  const faults = errors.map((error) => `${error.instancePath || '/'} ${error.message}`);
  throw new ModelPackError('BAD_MANIFEST', `The list of model packs ${file} is faulty: ${faults.join('; ')}.`);
}

/**
 * The entry of one pack.
 *
 * @throws {ModelPackError} `UNKNOWN_PACK`, naming the packs that there are
 */
export function findPack(manifest: Manifest, name: string): PackEntry {
  const entry = manifest.packs.find((pack) => pack.name === name);
  if (entry) return entry;
  const names = manifest.packs.map((pack) => pack.name).join(', ');
  throw new ModelPackError('UNKNOWN_PACK', `There is no model pack "${name}"; choose one of: ${names}.`);
}
