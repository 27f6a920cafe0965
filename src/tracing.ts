import type { Context, Span, Tracer } from '@opentelemetry/api';
import packageJson from '../package.json' with { type: 'json' };
import type { PageObservation } from './metrics.ts';

export interface TracingOptions {
  /** Where a collector takes OTLP over HTTP; empty: nothing is traced and nothing loaded. */
  readonly endpoint: string;
  /** Share of requests that are traced where the caller has not decided, 0..1. */
  readonly ratio: number;
  readonly log: { warn(fields: object, message: string): void };
}

/** How a request ended. */
export interface RequestEnd {
  readonly method: string;
  /** The route's pattern. */
  readonly route: string;
  readonly status: number;
  /** As in `RequestObservation`. */
  readonly code: string;
}

/** The trace of one request, from its headers to the end of its answer. */
export interface RequestTrace {
  /** Adds the stages of a page that was read just now. They are laid end to end, as they ran. */
  addPage(observation: PageObservation): void;
  end(end: RequestEnd): void;
}

export interface Tracing {
  /** @param traceparent header of the caller (W3C Trace Context); one that is not well-formed begins a trace of its own */
  begin(traceparent: string | undefined): RequestTrace;
  /** Sends what has not been sent, for 2 s at most. Never rejects. */
  close(): Promise<void>;
}

/** A collector that does not answer must not hold up the end of the process: of its 25 s, draining takes up to 20. */
const SEND_TIMEOUT_MS = 2000;

/** Everything of OpenTelemetry, loaded only where something is traced: 0.2 s of start-up otherwise. */
async function load() {
  const [api, core, resources, sdk, exporter] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/core'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  return { api, core, resources, sdk, exporter };
}
type OpenTelemetry = Awaited<ReturnType<typeof load>>;

/** Sends traces to a collector in the background; undefined without an endpoint. */
export async function startTracing({ endpoint, ratio, log }: TracingOptions): Promise<Tracing | undefined> {
  if (endpoint === '') return undefined;
  const otel = await load();
  const { api, core, resources, sdk, exporter } = otel;
  // What cannot be sent is dropped, a batch every five seconds at most; the operator reads it here.
  core.setGlobalErrorHandler((error) => log.warn({ err: error }, 'traces could not be sent'));
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({
      'service.name': packageJson.name,
      'service.version': packageJson.version,
    }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new exporter.OTLPTraceExporter({ url: endpoint, timeoutMillis: SEND_TIMEOUT_MS }),
        exportTimeoutMillis: SEND_TIMEOUT_MS,
      }),
    ],
  });
  const tracer = provider.getTracer(packageJson.name, packageJson.version);
  return {
    begin(traceparent) {
      const caller = traceparent === undefined ? null : core.parseTraceParent(traceparent);
      const root = api.ROOT_CONTEXT;
      const context = caller === null ? root : api.trace.setSpanContext(root, { ...caller, isRemote: true });
      return traceRequest(otel, tracer, context);
    },
    close: () => provider.shutdown().catch((error: unknown) => log.warn({ err: error }, 'traces could not be sent')),
  };
}

function traceRequest({ api }: OpenTelemetry, tracer: Tracer, context: Context): RequestTrace {
  const span = tracer.startSpan('request', { kind: api.SpanKind.SERVER }, context);
  const inside = api.trace.setSpan(context, span);

  /** A span that began at `startMs` (since 1970); gives where the next one begins. */
  const add = (name: string, startMs: number, lengthMs: number, parent: Context): number => {
    tracer.startSpan(name, { startTime: startMs }, parent).end(startMs + lengthMs);
    return startMs + lengthMs;
  };

  return {
    addPage({ page, fetchMs, engineMs }) {
      if (!span.isRecording()) return;
      const { decodeMs, detectMs, recognizeMs, totalMs } = page.timings;
      const waitMs = Math.max(engineMs - totalMs, 0);
      const endMs = Date.now();
      const fetchedAt = add('fetch', endMs - engineMs - fetchMs, fetchMs, inside);
      const readAt = add('wait for an engine process', fetchedAt, waitMs, inside);
      const read = tracer.startSpan('read page', { startTime: readAt }, inside);
      const inPage = api.trace.setSpan(inside, read);
      const decodedAt = add('decode', readAt, decodeMs, inPage);
      const detectedAt = add('detect', decodedAt, detectMs, inPage);
      add('recognize', detectedAt, recognizeMs, inPage);
      read.setAttributes({ 'ocr.width': page.width, 'ocr.height': page.height, 'ocr.lines': page.lines.length });
      read.end(readAt + totalMs);
    },
    end: (end) => endRequest(span, end, api.SpanStatusCode.ERROR),
  };
}

/** Names and attributes after OpenTelemetry's semantic conventions for HTTP servers. */
function endRequest(span: Span, { method, route, status, code }: RequestEnd, error: number): void {
  span.updateName(`${method} ${route}`);
  span.setAttributes({ 'http.request.method': method, 'http.route': route, 'http.response.status_code': status });
  if (code !== 'OK') span.setAttribute('error.type', code);
  // A 4xx is the caller's fault and no error of the server's.
  if (status >= 500) span.setStatus({ code: error });
  span.end();
}
