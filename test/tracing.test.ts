import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import http from 'node:http';
import { json } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { startTracing, type Tracing } from '../src/tracing.ts';
import { buildFakeApp, fakeEngine, IMAGE } from './http/fixtures/fake-parts.ts';

/** A span in OTLP's JSON encoding (opentelemetry-proto 1.x, "JSON Protobuf Encoding": hexadecimal ids, times as strings). */
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const OCR = { method: 'POST', url: '/general_ocr', payload: { img: IMAGE } } as const;
const SERVER_KIND = 2;
const ERROR_STATUS = 2;

/** A collector on a port of its own that keeps what it is sent. */
async function startCollector(t: Test): Promise<{ endpoint: string; requests: OtlpRequest[] }> {
  const requests: OtlpRequest[] = [];
  const server = http.createServer((request, response) => {
    void json(request).then((body) => {
      if (request.url === '/v1/traces' && request.headers['content-type'] === 'application/json') {
        requests.push(body as OtlpRequest);
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`, requests };
}

async function start(endpoint: string, ratio: number, warnings: string[] = []): Promise<Tracing> {
  const tracing = await startTracing({
    endpoint,
    ratio,
    log: { warn: (_fields, message) => void warnings.push(message) },
  });
  if (tracing === undefined) throw new Error('there is an endpoint, so there is tracing');
  return tracing;
}

const spansOf = (requests: readonly OtlpRequest[]): OtlpSpan[] =>
  requests.flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
  );

const attribute = (span: OtlpSpan | undefined, key: string): unknown =>
  Object.values(span?.attributes.find((one) => one.key === key)?.value ?? {})[0];

t.test('nothing is traced without an endpoint', async (t) => {
  t.equal(
    await startTracing({ endpoint: '', ratio: 1, log: { warn: (_fields, message) => void t.fail(message) } }),
    undefined,
  );
});

t.test('a page: one trace with its stages, continued from the caller', async (t) => {
  const { endpoint, requests } = await startCollector(t);
  const tracing = await start(endpoint, 0);
  const app = await buildFakeApp({ engine: fakeEngine(), tracing });
  t.teardown(() => app.close());
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await app.inject({ ...OCR, headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
  await app.inject({ ...OCR, headers: { traceparent: `00-${traceId}-b7ad6b7169203331-00` } });
  await app.inject(OCR);
  await tracing.close();

  const spans = spansOf(requests);
  const named = (name: string) => spans.find((span) => span.name === name);
  const server = named('POST /general_ocr');
  t.equal(spans.length, 7, 'of the three requests only the one that its caller had chosen');
  t.match(server, { traceId, parentSpanId: 'b7ad6b7169203331', kind: SERVER_KIND });
  t.equal(attribute(server, 'http.response.status_code'), 200);
  t.equal(attribute(server, 'http.route'), '/general_ocr');
  t.equal(attribute(server, 'error.type'), undefined);
  for (const name of ['fetch', 'wait for an engine process', 'read page']) {
    t.match(named(name), { traceId, parentSpanId: server?.spanId }, name);
  }
  const stages = ['decode', 'detect', 'recognize'].map(named);
  for (const stage of stages) t.match(stage, { traceId, parentSpanId: named('read page')?.spanId });
  const lengths = stages.map(
    (one) => Number(BigInt(one?.endTimeUnixNano ?? 0) - BigInt(one?.startTimeUnixNano ?? 0)) / 1e6,
  );
  t.strictSame(lengths, [5, 200, 100], 'milliseconds of the page');
  t.equal(attribute(named('read page'), 'ocr.lines'), 2);
  const [resource] = requests[0]?.resourceSpans ?? [];
  t.equal(resource?.resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue, 'general-ocr');
  t.notMatch(JSON.stringify(requests), /香港/, 'no text that was read');
});

t.test('refusals, errors and probes', async (t) => {
  const { endpoint, requests } = await startCollector(t);
  const tracing = await start(endpoint, 1);
  const broken = fakeEngine({ read: () => Promise.reject(new Error('secret detail')) });
  const app = await buildFakeApp({ engine: broken, tracing });
  t.teardown(() => app.close());
  await app.inject({ ...OCR, payload: { img: '$' }, headers: { traceparent: 'nonsense' } });
  await app.inject(OCR);
  for (const url of ['/health/ready', '/metrics']) await app.inject(url);
  await tracing.close();

  const spans = spansOf(requests);
  t.strictSame(
    spans.map((span) => [span.name, attribute(span, 'error.type'), span.status.code ?? 0]),
    [
      ['POST /general_ocr', 'INVALID_BASE64', 0],
      ['POST /general_ocr', 'INTERNAL', ERROR_STATUS],
    ],
  );
  t.notMatch(JSON.stringify(requests), /secret detail/);
});

t.test('a collector that is not there costs a line in the log, and no answer', async (t) => {
  const unused = createServer().listen(0, '127.0.0.1');
  await once(unused, 'listening');
  const { port } = unused.address() as AddressInfo;
  unused.close();
  await once(unused, 'close');
  const warnings: string[] = [];
  const tracing = await start(`http://127.0.0.1:${port}/v1/traces`, 1, warnings);
  const app = await buildFakeApp({ tracing });
  t.teardown(() => app.close());
  t.equal((await app.inject(OCR)).statusCode, 200);
  await tracing.close();
  t.ok(warnings.includes('traces could not be sent'));
});
