import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import t from 'tap';
import { download, type Download } from '../../src/models/download.ts';
import { sha256Of } from '../../src/models/sha256.ts';

/** Large enough for several TCP segments and stream chunks, and different everywhere. */
const FILE = Buffer.from(Uint32Array.from({ length: 250_000 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 0).buffer);
const HALF = FILE.length / 2;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server with Range support, as static file servers have it. */
const serveFile: Handler = (request, response) => {
  const start = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  if (start === undefined) {
    response.writeHead(200, { 'content-length': FILE.length }).end(FILE);
  } else if (Number(start) >= FILE.length) {
    response.writeHead(416, { 'content-range': `bytes */${FILE.length}` }).end();
  } else {
    const rest = FILE.subarray(Number(start));
    const range = `bytes ${start}-${FILE.length - 1}/${FILE.length}`;
    response.writeHead(206, { 'content-length': rest.length, 'content-range': range }).end(rest);
  }
};

/** Sends half of the file and breaks the connection. */
const breakOff: Handler = (_request, response) => {
  response.writeHead(200, { 'content-length': FILE.length });
  response.write(FILE.subarray(0, HALF), () => response.destroy());
};

interface Mirror {
  readonly file: Download;
  readonly part: string;
  /** The Range header of each request, in order. */
  readonly ranges: (string | undefined)[];
  handle: Handler;
}

async function startMirror(t: Tap, handle: Handler): Promise<Mirror> {
  const target = path.join(t.testdir({}), 'pack', 'model.onnx');
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    mirror.handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.onnx`;
  const mirror = {
    file: { url, target, sha256: sha256Of(FILE), bytes: FILE.length },
    part: `${target}.part`,
    ranges,
    handle,
  };
  return mirror;
}
type Tap = { testdir: (content: Record<string, never>) => string; teardown: (end: () => void) => void };

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

t.test('a whole file, with progress', async (t) => {
  const { file, part } = await startMirror(t, serveFile);
  let last = 0;
  await download({ ...file, onProgress: (received, total) => t.ok((last = received) <= (total ?? 0)) });
  t.equal(last, FILE.length);
  t.ok(FILE.equals(await readFile(file.target)));
  t.notOk(await isThere(part));
});

t.test('an interrupted fetch keeps what came and goes on from there', async (t) => {
  const mirror = await startMirror(t, breakOff);
  await t.rejects(download(mirror.file), { code: 'FETCH_FAILED' });
  t.notOk(await isThere(mirror.file.target), 'nothing half is ever in place');
  const have = (await stat(mirror.part)).size;
  t.ok(have > 0 && have <= HALF);

  mirror.handle = serveFile;
  await download(mirror.file);
  t.strictSame(mirror.ranges, [undefined, `bytes=${have}-`]);
  t.ok(FILE.equals(await readFile(mirror.file.target)));
  t.notOk(await isThere(mirror.part));
});

t.test('a server without Range support starts over', async (t) => {
  const mirror = await startMirror(t, (_request, response) => response.end(FILE));
  const { url, target, sha256 } = mirror.file;
  await download({ url, target, sha256 });
  t.ok(FILE.equals(await readFile(target)), 'of unknown size');
  await writeFile(mirror.part, FILE.subarray(0, 1000));
  await download(mirror.file);
  t.ok(FILE.equals(await readFile(target)));
});

t.test('a complete .part file (ended before the rename) is put in place without asking', async (t) => {
  const mirror = await startMirror(t, serveFile);
  await download(mirror.file);
  await writeFile(mirror.part, FILE);
  await download(mirror.file);
  t.equal(mirror.ranges.length, 1);
});

t.test('a complete .part file of unknown size is put in place when the server has no more', async (t) => {
  const mirror = await startMirror(t, serveFile);
  await download(mirror.file);
  await writeFile(mirror.part, FILE);
  const { url, target, sha256 } = mirror.file;
  await download({ url, target, sha256 });
  t.strictSame(mirror.ranges, [undefined, `bytes=${FILE.length}-`]);
  t.notOk(await isThere(mirror.part));
});

t.test('a .part file of something else is fetched anew', async (t) => {
  const mirror = await startMirror(t, serveFile);
  await download(mirror.file);
  await writeFile(mirror.part, Buffer.alloc(HALF));
  await download(mirror.file);
  t.strictSame(mirror.ranges, [undefined, `bytes=${HALF}-`, undefined]);
  t.ok(FILE.equals(await readFile(mirror.file.target)));
});

t.test('another file is refused by its hash and not kept', async (t) => {
  const other = Buffer.from(FILE);
  other[HALF] = (other[HALF] ?? 0) ^ 1;
  const mirror = await startMirror(t, (_request, response) => response.end(other));
  await t.rejects(download(mirror.file), { code: 'DAMAGED', message: /SHA-256 [0-9a-f]{64} instead of/ });
  t.notOk(await isThere(mirror.file.target));
  t.notOk(await isThere(mirror.part));
});

t.test('a file that is there stays until the new one is whole', async (t) => {
  const mirror = await startMirror(t, breakOff);
  await download({ ...mirror.file }).catch(() => undefined);
  await writeFile(mirror.file.target, 'older');
  await t.rejects(download(mirror.file), { code: 'FETCH_FAILED' });
  t.equal(await readFile(mirror.file.target, 'utf8'), 'older');
});

t.test('what else an address may do', async (t) => {
  const rows: [string, Handler, Partial<Download>, RegExp][] = [
    ['not found', (_q, r) => r.writeHead(404).end('no'), {}, /HTTP 404 Not Found/],
    ['more than the file', (_q, r) => r.end(Buffer.concat([FILE, FILE])), {}, /more than the expected 1000000 bytes/],
    ['silence', () => undefined, { idleTimeoutMs: 50 }, /nothing came for 0\.05 s/],
    ['silence in the middle', (_q, r) => void r.writeHead(200).write('x'), { idleTimeoutMs: 50 }, /nothing came/],
    [
      'a range that was not asked for',
      (_q, r) => r.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('x'),
      {},
      /206/,
    ],
  ];
  for (const [name, handle, change, expected] of rows) {
    const { file } = await startMirror(t, handle);
    await t.rejects(download({ ...file, ...change }), { code: 'FETCH_FAILED', message: expected }, name);
  }
});

t.test('nobody listens: the message names the reason, not just "fetch failed"', async (t) => {
  const { file } = await startMirror(t, serveFile);
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  await t.rejects(download({ ...file, url: `http://127.0.0.1:${port}/` }), { message: /ECONNREFUSED/ });
});
