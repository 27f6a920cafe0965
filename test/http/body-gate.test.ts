import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { handleError } from '../../src/http/error-handler.ts';
import { gateBodies } from '../../src/http/body-gate.ts';
import { createByteBudget } from '../../src/http/byte-budget.ts';
import { acceptJson } from '../../src/http/json-body.ts';

const BODY_LIMIT = 1_000_000;

/** An app with one route that answers how long its body was, and the budget that counts it. */
async function start(t: Test, limitBytes: number) {
  const budget = createByteBudget(limitBytes);
  const app = Fastify({ bodyLimit: BODY_LIMIT });
  app.decorateReply('errorCode', null);
  app.setErrorHandler(handleError);
  acceptJson(app, BODY_LIMIT);
  gateBodies(app, budget);
  let heldInHandler = 0;
  app.post('/', async (request) => {
    heldInHandler = budget.heldBytes;
    return { characters: JSON.stringify(request.body).length };
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  return { app, budget, port, heldInHandler: () => heldInHandler };
}

async function open(t: Test, port: number, headers: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${headers}\r\n\r\n`);
  return socket;
}

/** The next answer on the socket, of Fastify's short JSON kind. */
async function answer(socket: Socket): Promise<string> {
  let text = '';
  while (!/\r\n\r\n.*\}/s.test(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    text += chunk.toString();
  }
  return text;
}

const json = (length: number): string => `"${'x'.repeat(length - 2)}"`;

t.test('a body passes as it is, is held while it is worked on, and let go with the answer', async (t) => {
  const { app, budget, heldInHandler } = await start(t, BODY_LIMIT);
  for (const length of [2, 100, 16_383, 16_384, 16_385, 100_000]) {
    const response = await app.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/json' },
      payload: json(length),
    });
    t.strictSame(response.json(), { characters: length });
    t.equal(heldInHandler(), length);
    t.equal(budget.heldBytes, 0);
  }
  t.equal((await app.inject('/')).statusCode, 404, 'a request without a body passes too');
});

/** `count` chunks that hold a JSON text, each of `size` bytes. */
const chunked = (count: number, size: number): string => {
  const text = json(count * size);
  const chunk = (_: unknown, i: number): string =>
    `${size.toString(16)}\r\n${text.slice(i * size, (i + 1) * size)}\r\n`;
  return `${Array.from({ length: count }, chunk).join('')}0\r\n\r\n`;
};

t.test('small chunks pass, and those of a few bytes only up to a number of them', async (t) => {
  const { app, budget, port } = await start(t, BODY_LIMIT);
  for (const [count, size] of [
    [10_000, 1],
    [20_000, 32],
  ]) {
    const socket = await open(t, port, 'transfer-encoding: chunked');
    socket.write(chunked(count, size));
    t.match(await answer(socket), new RegExp(`^HTTP/1.1 200 [^]*"characters":${count * size}`));
  }
  const taken = once(app.server, 'connection') as Promise<[Socket]>;
  const cut = await open(t, port, 'transfer-encoding: chunked');
  const closed = new Promise((resolve) => cut.on('error', () => undefined).once('close', resolve));
  cut.write(chunked(1_000_000, 1));
  t.match(await answer(cut), /^HTTP\/1\.1 400 [^]*"code":"INVALID_REQUEST"/);
  t.equal(budget.heldBytes, 0);
  await closed;
  t.ok((await taken)[0].bytesRead < 2_000_000, 'of 6 MB');
});

t.test('the largest body that still arrives is refused, and its connection goes on', async (t) => {
  const { budget, port } = await start(t, 200_000);
  const large = await open(t, port, 'content-length: 300000');
  large.write(json(300_000).slice(0, 150_000));
  while (budget.heldBytes < 150_000) await new Promise(setImmediate);
  const refused = answer(large);
  const small = await open(t, port, 'content-length: 60000');
  small.write(json(60_000));
  t.match(await answer(small), /^HTTP\/1\.1 200 /);
  t.match(await refused, /^HTTP\/1\.1 429 [^]*\r\nretry-after: 1\r\n[^]*"code":"OVERLOADED"/i);
  // The rest of the refused body is thrown away; the next request is read from behind it.
  large.write(json(300_000).slice(150_000));
  large.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n"ab"');
  t.match(await answer(large), /^HTTP\/1\.1 200 [^]*"characters":4/);
  t.equal(budget.heldBytes, 0);
});

t.test('over the body limit: 413, nothing held', async (t) => {
  const { budget, port } = await start(t, 4 * BODY_LIMIT);
  const announced = await open(t, port, `content-length: ${BODY_LIMIT + 1}`);
  t.match(await answer(announced), /^HTTP\/1\.1 413 /);
  const chunked = await open(t, port, 'transfer-encoding: chunked');
  const block = 'x'.repeat(100_000);
  for (let sent = 0; sent <= BODY_LIMIT; sent += block.length) chunked.write(`186a0\r\n${block}\r\n`);
  t.match(await answer(chunked), /^HTTP\/1\.1 413 /);
  t.equal(budget.heldBytes, 0);
});

t.test('a client that leaves in the middle of its body gives its bytes back', async (t) => {
  const { budget, port } = await start(t, BODY_LIMIT);
  const socket = await open(t, port, 'content-length: 300000');
  socket.write(json(300_000).slice(0, 50_000));
  while (budget.heldBytes < 50_000) await new Promise(setImmediate);
  socket.destroy();
  while (budget.heldBytes > 0) await new Promise(setImmediate);
  t.equal(budget.heldBytes, 0);
});
