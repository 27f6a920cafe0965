import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { ModelPackError, type ModelPackErrorCode } from '../../src/models/model-pack-error.ts';
import { openModelPack } from '../../src/ocr/model-pack.ts';

const MODELS_DIR = fileURLToPath(new URL('../../models', import.meta.url));
const EMBEDDED = 'pp-ocrv6-small-int8';

/** A copy of the embedded pack that a test may spoil. */
async function copyOfModels(t: Tap): Promise<string> {
  const folder = t.testdir({});
  await cp(path.join(MODELS_DIR, 'manifest.json'), path.join(folder, 'manifest.json'));
  await cp(path.join(MODELS_DIR, EMBEDDED), path.join(folder, EMBEDDED), { recursive: true });
  return folder;
}
type Tap = { testdir: (content: Record<string, never>) => string };

async function failure(opening: Promise<unknown>): Promise<{ code: ModelPackErrorCode; message: string }> {
  const error = await opening.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof ModelPackError)) throw new Error('a ModelPackError was expected', { cause: error });
  return error;
}

t.test('the embedded pack opens', async (t) => {
  const pack = await openModelPack(MODELS_DIR, EMBEDDED);
  t.equal(pack.name, EMBEDDED);
  t.equal(pack.detectorPath, path.join(MODELS_DIR, EMBEDDED, 'detector.onnx'));
  t.equal(pack.recognizerPath, path.join(MODELS_DIR, EMBEDDED, 'recognizer.onnx'));
  t.strictSame(pack.detector, {
    channelOrder: 'BGR',
    mean: 0.5,
    std: 0.5,
    sideMultiple: 32,
    threshold: 0.3,
    boxScoreThreshold: 0.5,
    unclipRatio: 1.6,
    dilation: true,
  });
  t.strictSame(pack.recognizer, { channelOrder: 'BGR', mean: 0.5, std: 0.5, height: 48, stride: 8 });
});

t.test('its charset has a character for every class of the recognizer', async (t) => {
  const { charset, recognizerPath } = await openModelPack(MODELS_DIR, EMBEDDED);
  t.equal(charset[0], '');
  t.strictSame(charset.slice(1, 4), ['!', '"', '#']);
  t.equal(charset[1749], '\u3000', 'the ideographic space is a character, not white space to be trimmed');
  t.strictSame(charset.slice(-2), ['🛅', ' ']);
  t.ok(
    charset.slice(1).every((character) => [...character].length === 1),
    'one code point each',
  );

  process.env.ORT_DISABLE_TELEMETRY = '1';
  const { InferenceSession } = await import('onnxruntime-node');
  const session = await InferenceSession.create(recognizerPath, { intraOpNumThreads: 1 });
  const [output] = session.outputMetadata;
  t.ok(output?.isTensor);
  t.equal(output?.isTensor ? output.shape.at(-1) : undefined, charset.length);
  await session.release();
});

t.test('an unknown pack: the message names those that there are', async (t) => {
  const error = await failure(openModelPack(MODELS_DIR, 'pp-ocrv9'));
  t.equal(error.code, 'UNKNOWN_PACK');
  t.match(error.message, /"pp-ocrv9".*pp-ocrv6-small-int8, pp-ocrv6-small/);
});

t.test('a pack that was not fetched: the message gives the command', async (t) => {
  const error = await failure(openModelPack(await copyOfModels(t), 'pp-ocrv6-small'));
  t.equal(error.code, 'NOT_FETCHED');
  t.match(error.message, 'npm run models -- pp-ocrv6-small');
});

t.test('a missing file of the embedded pack is not something to fetch', async (t) => {
  const folder = await copyOfModels(t);
  await rm(path.join(folder, EMBEDDED, 'recognizer.onnx'));
  const error = await failure(openModelPack(folder, EMBEDDED));
  t.equal(error.code, 'NOT_FETCHED');
  t.match(error.message, /recognizer\.onnx is not there.*install it again/);
});

for (const name of ['detector.onnx', 'recognizer.onnx', 'dictionary.txt']) {
  t.test(`one changed byte in ${name} is noticed`, async (t) => {
    const folder = await copyOfModels(t);
    const file = path.join(folder, EMBEDDED, name);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await writeFile(file, bytes);
    const error = await failure(openModelPack(folder, EMBEDDED));
    t.equal(error.code, 'DAMAGED');
    t.match(error.message, name);
  });
}

t.test('a dictionary without a known hash is checked all the same', async (t) => {
  const folder = await copyOfModels(t);
  const manifest = path.join(folder, 'manifest.json');
  const dictionary = path.join(folder, EMBEDDED, 'dictionary.txt');
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replaceAll(/("file": "dictionary\.txt"),\s*"bytes": \d+,\s*"sha256": "\w+"/g, '$1'));
  t.equal((await openModelPack(folder, EMBEDDED)).charset.length, 18_710);
  await writeFile(dictionary, (await readFile(dictionary, 'utf8')).replace('\n#\n', '\n\n'));
  const error = await failure(openModelPack(folder, EMBEDDED));
  t.equal(error.code, 'DAMAGED');
  t.match(error.message, /line 3 of the dictionary is empty/);
});
