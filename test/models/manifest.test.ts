import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { inspectModelPack } from '../../src/models/inspect-model-pack.ts';
import { findPack, readManifest, type Manifest } from '../../src/models/manifest.ts';

const MODELS_DIR = fileURLToPath(new URL('../../models', import.meta.url));

t.test('the committed manifest describes the embedded pack, byte for byte', async (t) => {
  const manifest = await readManifest(MODELS_DIR);
  const embedded = manifest.packs.filter((pack) => pack.embedded);
  t.strictSame(
    embedded.map((pack) => pack.name),
    ['pp-ocrv6-small-int8'],
  );
  for (const pack of embedded) {
    for (const { file, state } of await inspectModelPack(MODELS_DIR, pack)) t.equal(state, 'ok', file);
    for (const { file, bytes } of Object.values(pack.files)) {
      t.equal((await stat(path.join(MODELS_DIR, pack.name, file))).size, bytes, file);
    }
  }
});

t.test('every other pack can be fetched, and says so when nobody has tested it', async (t) => {
  const { packs } = await readManifest(MODELS_DIR);
  t.strictSame(
    packs.filter((pack) => !pack.embedded).map((pack) => [pack.name, pack.tested]),
    [
      ['pp-ocrv6-small', true],
      ['pp-ocrv6-tiny', false],
      ['pp-ocrv6-medium', false],
    ],
  );
  for (const { files } of packs.filter((pack) => !pack.embedded)) {
    t.match(files.detector.published, /^PP-OCRv6\/det\/.*\.onnx$/);
    t.match(files.recognizer.published, /^PP-OCRv6\/rec\/.*\.onnx$/);
  }
});

t.test('what the documents say about the packs is what the manifest says', async (t) => {
  const { packs, sources } = await readManifest(MODELS_DIR);
  const provenance = await readFile(path.join(MODELS_DIR, 'pp-ocrv6-small-int8', 'PROVENANCE.md'), 'utf8');
  const readme = await readFile(path.join(MODELS_DIR, 'README.md'), 'utf8');
  const original = packs.find((pack) => pack.name === 'pp-ocrv6-small');
  t.match(provenance, original?.files.detector.sha256);
  t.match(provenance, original?.files.recognizer.sha256);
  t.match(readme, sources.wheel);
  t.strictSame(
    [...readme.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name),
    packs.map((pack) => pack.name),
  );
});

t.test('findPack', async (t) => {
  const manifest = await readManifest(MODELS_DIR);
  t.equal(findPack(manifest, 'pp-ocrv6-tiny').name, 'pp-ocrv6-tiny');
  t.throws(() => findPack(manifest, 'tiny'), { code: 'UNKNOWN_PACK' });
});

t.test('a faulty manifest is refused, and the message says where', async (t) => {
  const text = await readFile(path.join(MODELS_DIR, 'manifest.json'), 'utf8');
  const faulty = async (change: (manifest: Manifest) => unknown): Promise<string> => {
    const manifest = JSON.parse(text) as Manifest;
    return t.testdir({ 'manifest.json': JSON.stringify(change(manifest) ?? manifest) });
  };
  const rows: [string, (manifest: Manifest) => unknown, RegExp][] = [
    ['another format', (m) => ({ ...m, version: 2 }), /\/version/],
    ['an unknown field', (m) => ({ ...m, colour: 'red' }), /must not have additional properties/],
    [
      'a file outside its folder',
      (m) => Object.assign(m.packs[0]?.files.detector ?? {}, { file: '../x' }) && m,
      /detector\/file/,
    ],
    [
      'a hidden way up',
      (m) => Object.assign(m.packs[1]?.files.detector ?? {}, { published: 'a/../../b' }) && m,
      /published/,
    ],
    ['half a hash', (m) => Object.assign(m.packs[0]?.files.detector ?? {}, { sha256: 'abc' }) && m, /sha256/],
    [
      'a threshold of 3',
      (m) => Object.assign(m.packs[0]?.detector ?? {}, { threshold: 3 }) && m,
      /\/detector\/threshold/,
    ],
    ['no list', () => [], /\//],
  ];
  for (const [name, change, expected] of rows) {
    await t.rejects(readManifest(await faulty(change)), { code: 'BAD_MANIFEST', message: expected }, name);
  }
  await t.rejects(readManifest(t.testdir({ 'manifest.json': '{' })), {
    code: 'BAD_MANIFEST',
    message: /cannot be read/,
  });
  await t.rejects(readManifest(t.testdir({})), { code: 'BAD_MANIFEST', message: /OCR_MODELS_DIR/ });
});
