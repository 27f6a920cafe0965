import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import tls from 'node:tls';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { createAddressGuard, type Lookup } from '../../src/source/address-guard.ts';
import { fetchHttp } from '../../src/source/http-source.ts';
import { closedPort, startOrigin, startRawOrigin } from './local-origin.ts';
import { TLS_CERTIFICATE } from './tls-certificate.ts';

// Files of this kind run in a process of their own: this trust ends with it.
tls.setDefaultCACertificates([TLS_CERTIFICATE]);

const MAX_BYTES = 1_000_000;

/** Loads `url` with an allow list that names `allow` only; every name resolves to 127.0.0.1 unless `lookup` says otherwise. */
function load(
  url: string,
  allow: string[],
  {
    lookup = async () => ['127.0.0.1'],
    signal = new AbortController().signal,
  }: { lookup?: Lookup; signal?: AbortSignal } = {},
): Promise<Buffer> {
  const guard = createAddressGuard({ allow, urlPorts: [80, 443], lookupTimeoutMs: 1000, lookup });
  return fetchHttp(new URL(url), { guard, maxBytes: MAX_BYTES, connectTimeoutMs: 5000 }, signal);
}

/** Starts an origin, loads `path` from it and gives what became of it. */
async function loadFrom(t: Test, handler: RequestListener, path = '/', signal?: AbortSignal) {
  const origin = await startOrigin(t, handler);
  const options = signal === undefined ? {} : { signal };
  const outcome: unknown = await load(`http://${origin.host}${path}`, [origin.host], options).catch((e: unknown) => e);
  await origin.allClosed();
  return { origin, outcome };
}

t.test('reads a body byte for byte, with and without a length', async (t) => {
  const image = randomBytes(300_000);
  const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  for (const withLength of ['with', 'without']) {
    const { origin, outcome } = await loadFrom(
      t,
      (_request, response) => {
        if (withLength === 'with') response.setHeader('content-length', image.length);
        response.write(image.subarray(0, 100_000));
        response.end(image.subarray(100_000));
      },
      '/a%20b.png?x=1&y=%2F#fragment',
    );
    t.ok(outcome instanceof Buffer && sha(outcome) === sha(image), `${withLength} length`);
    const { url, headers, method } = origin.requests[0];
    t.equal(method, 'GET');
    t.equal(url, '/a%20b.png?x=1&y=%2F');
    t.equal(headers['accept-encoding'], 'identity');
    t.equal(headers.host, origin.host);
    t.strictSame([headers.authorization, headers.cookie, headers.referer], [undefined, undefined, undefined]);
  }
});

t.test('https by name: the certificate is checked against the name, the address is the checked one', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('image'), 'https');
  const allow = [origin.host];
  t.equal(String(await load(`https://files.test:${origin.port}/`, allow)), 'image');
  await t.rejects(load(`https://other.test:${origin.port}/`, allow), { code: 'SOURCE_UNAVAILABLE', detail: /ALTNAME/ });
  await origin.allClosed();
});

t.test('one code and one text for everything that the network had a part in', async (t) => {
  const status = (code: number, headers = {}): RequestListener => {
    return (_request, response) => response.writeHead(code, headers).end('internal secret');
  };
  const errors: unknown[] = [];
  for (const code of [204, 206, 300, 304, 401, 403, 404, 410, 500, 503]) {
    errors.push((await loadFrom(t, status(code))).outcome);
  }
  errors.push((await loadFrom(t, status(302))).outcome);
  errors.push((await loadFrom(t, status(302, { location: 'http://[' }))).outcome);
  errors.push((await loadFrom(t, status(200, { 'content-encoding': 'gzip' }))).outcome);
  errors.push((await loadFrom(t, (request) => request.socket.destroy())).outcome);
  errors.push(
    (
      await loadFrom(t, (_request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('short');
        setImmediate(() => response.destroy());
      })
    ).outcome,
  );
  const port = await closedPort();
  const caught = (url: string, allow: string[], lookup?: Lookup) =>
    load(url, allow, lookup === undefined ? {} : { lookup }).catch((e: unknown) => e);
  errors.push(await caught(`http://127.0.0.1:${port}/`, [`127.0.0.1:${port}`]));
  errors.push(await caught('http://missing.test/', [], async () => []));
  errors.push(await caught('http://private.test/', []));

  for (const error of errors) t.match(error, { code: 'SOURCE_UNAVAILABLE', detail: /./ });
  const texts = new Set(errors.map((error) => (error instanceof Error ? error.message : '')));
  t.equal(texts.size, 1);
  t.notMatch([...texts][0], /127\.0\.0\.1|secret|ECONN|40\d/);
});

t.test('answers that are no HTTP', async (t) => {
  const answers = [
    'SSH-2.0-OpenSSH_9.2\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef',
    'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nabcdef',
    'HTTP/1.1 302 Found\r\nlocation: http://a.test/\rx: y\r\n\r\n',
    `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`,
  ];
  for (const answer of answers) {
    const origin = await startRawOrigin(t, (socket) => void socket.once('data', () => socket.end(answer)));
    await t.rejects(load(`http://${origin.host}/`, [origin.host]), { code: 'SOURCE_UNAVAILABLE' }, answer.slice(0, 60));
    await origin.allClosed();
  }
});

t.test('redirects', async (t) => {
  const victim = await startOrigin(t, (_request, response) => response.end('secret'));
  const hops = (count: number): RequestListener => {
    return (request, response) => {
      const hop = Number(request.url?.slice(1));
      if (hop < count) response.writeHead(302, { location: `/${hop + 1}` }).end('x'.repeat(100_000));
      else response.end('image');
    };
  };
  const to = (location: string, code = 302): RequestListener => {
    return (request, response) => {
      if (request.url === '/') response.writeHead(code, { location }).end();
      else response.end('image');
    };
  };

  for (const code of [301, 302, 303, 307, 308]) {
    const { outcome, origin } = await loadFrom(t, to('/next', code));
    t.strictSame([String(outcome), origin.connections()], ['image', 2], `${code} is followed`);
  }
  t.equal(String((await loadFrom(t, hops(5), '/0')).outcome), 'image', 'five');
  const six = await loadFrom(t, hops(6), '/0');
  t.match(six.outcome, { code: 'SOURCE_UNAVAILABLE', detail: /more than 5/ });
  t.equal(six.origin.requests.length, 6);
  t.match((await loadFrom(t, to('/'))).outcome, { code: 'SOURCE_UNAVAILABLE' }, 'a loop');

  const refused = [
    `http://${victim.host}/`,
    `//${victim.host}/`,
    `http://[::ffff:7f00:1]:${victim.port}/`,
    `http://localhost:${victim.port}/`,
    'http://[::ffff:169.254.169.254]/',
    'http://user:password@example.com/',
    'http://example.com:22/',
    'file:///etc/passwd',
    's3://bucket/key',
    'data:image/png;base64,AAAA',
  ];
  const texts = new Set<string>();
  for (const location of refused) {
    const { outcome, origin } = await loadFrom(t, to(location));
    t.match(outcome, { code: 'SOURCE_NOT_ALLOWED', detail: /./ }, location);
    t.equal(origin.connections(), 1);
    texts.add(outcome instanceof Error ? outcome.message : '');
  }
  t.equal(texts.size, 1, 'what was in the redirect is not told');
  const byName = await loadFrom(t, to(`http://name.test/`));
  t.match(byName.outcome, { code: 'SOURCE_UNAVAILABLE', detail: /name\.test:80 resolves to 127\.0\.0\.1/ });
  t.equal(victim.connections(), 0);
});

t.test('no way back from https to http', async (t) => {
  const plain = await startOrigin(t, (_request, response) => response.end('image'));
  const location = `http://${plain.host}/`;
  const secure = await startOrigin(t, (_request, response) => response.writeHead(302, { location }).end(), 'https');
  await t.rejects(load(`https://files.test:${secure.port}/`, [plain.host, secure.host]), {
    code: 'SOURCE_NOT_ALLOWED',
  });
  t.equal(plain.connections(), 0);
});

t.test('a resolver that changes its mind', async (t) => {
  const allowed = await startOrigin(t, (_request, response) => response.end('image'));
  let asked = 0;
  const flip: Lookup = async () => (asked++ % 2 === 0 ? ['127.0.0.1'] : ['127.0.0.1', '127.0.0.2']);
  let images = 0;
  for (let i = 0; i < 200; i++) {
    const outcome: unknown = await load(`http://rebind.test:${allowed.port}/`, [allowed.host], { lookup: flip }).catch(
      (error: unknown) => error,
    );
    if (outcome instanceof Buffer) images++;
    else t.match(outcome, { code: 'SOURCE_UNAVAILABLE', detail: /127\.0\.0\.2, refused/ });
  }
  t.equal(asked, 200, 'one question for each load: there is no second answer to believe');
  t.equal(images, 100);
  t.equal(allowed.connections(), 100);
  await allowed.allClosed();
});

t.test('bodies over the limit', async (t) => {
  const announced = await loadFrom(t, (_request, response) => {
    response.writeHead(200, { 'content-length': MAX_BYTES + 1 }).write('x');
  });
  t.match(announced.outcome, {
    code: 'BODY_TOO_LARGE',
    message: new RegExp(`${MAX_BYTES + 1} bytes.* ${MAX_BYTES} bytes`),
  });

  let sent = 0;
  const endless = await loadFrom(t, (_request, response) => {
    const chunk = Buffer.alloc(65_536);
    const pump = (): void => {
      for (let more = true; more && !response.destroyed; sent += chunk.length) more = response.write(chunk);
    };
    response.on('drain', pump);
    pump();
  });
  t.match(endless.outcome, { code: 'BODY_TOO_LARGE', message: new RegExp(`at least \\d+ bytes.* ${MAX_BYTES} bytes`) });
  t.ok(sent < MAX_BYTES + 20_000_000, 'the rest was not read (socket buffers aside)');

  const bomb = gzipSync(Buffer.alloc(50_000_000));
  const inflated = await loadFrom(t, (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb);
  });
  t.match(inflated.outcome, { code: 'SOURCE_UNAVAILABLE', detail: /content-encoding/ }, 'never inflated');
});

t.test('an abort ends every stage at once, with its own reason', async (t) => {
  const reason = new Error('deadline');
  const stages: [name: string, handler: RequestListener][] = [
    ['before the headers', () => {}],
    ['in the body', (_request, response) => void response.write('x')],
  ];
  for (const [name, handler] of stages) {
    const controller = new AbortController();
    const { outcome } = await loadFrom(
      t,
      (request, response) => {
        handler(request, response);
        setImmediate(() => controller.abort(reason));
      },
      '/',
      controller.signal,
    );
    t.equal(outcome, reason, name);
  }
  const inLookup = new AbortController();
  const hanging: Lookup = () => {
    setImmediate(() => inLookup.abort(reason));
    return new Promise(() => {});
  };
  await t.rejects(load('http://slow.test/', [], { lookup: hanging, signal: inLookup.signal }), reason);
});

t.test('an abort during the TLS handshake closes the connection', async (t) => {
  const controller = new AbortController();
  const silent = await startRawOrigin(t, (socket) => {
    void once(socket, 'data').then(() => controller.abort(new Error('deadline')));
  });
  const loading = load(`https://${silent.host}/`, [silent.host], { signal: controller.signal });
  await t.rejects(loading, { message: 'deadline' });
  await silent.allClosed();
});
