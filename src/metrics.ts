import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };
import type { Admission } from './engine/admission.ts';
import type { Engine } from './engine/engine.ts';
import { ERROR_CODES } from './errors.ts';
import { registerJobMetrics } from './job-metrics.ts';
import type { QueueFigures } from './jobs/job-store.ts';
import type { ModelPackDescription } from './models/describe-model-pack.ts';
import type { Page } from './ocr/page.ts';

/** One answered (or abandoned) request. */
export interface RequestObservation {
  readonly method: string;
  /** The route's pattern, never the path that was asked for: that would be a new time series for every scan. */
  readonly route: string;
  readonly status: number;
  /** The error code, `OK`, or `ABANDONED` when the client left before its answer. */
  readonly code: string;
  readonly seconds: number;
}

/** One page that was read, and the milliseconds its request spent on the way there. */
export interface PageObservation {
  readonly page: Page;
  readonly fetchMs: number;
  /** Time in the engine, the wait for a process included. */
  readonly engineMs: number;
}

/** The named instruments of the service. */
export interface Metrics {
  readonly contentType: string;
  observeRequest(request: RequestObservation): void;
  observePage(observation: PageObservation): void;
  /** Everything in Prometheus text format. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  readonly engine: Pick<Engine, 'status'>;
  readonly admission: Pick<Admission, 'inside'>;
  /** Requests that may be inside at a time: what `admission` lets in. */
  readonly places: number;
  readonly modelPack: ModelPackDescription;
  /** Figures of the job queue; absent: there is none. */
  readonly jobs?: (() => Promise<QueueFigures>) | undefined;
}

/** Seconds. A page takes 0.1 to 2 s on one core (contract: about 1 s for 1 MB), a request at most 30 s by default. */
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];

/** What is read at the moment of a scrape rather than counted: queue, engine processes, memory. */
function registerGauges(registry: Registry, { engine, admission, places }: MetricsOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'general_ocr_requests_inside',
    help: 'Requests that are being fetched, waiting or read now.',
    registers,
    collect() {
      this.set(admission.inside);
    },
  });
  new Gauge({
    name: 'general_ocr_requests_inside_limit',
    help: 'Requests that may be inside: engine processes and OCR_QUEUE_LENGTH. One more is answered 429.',
    registers,
  }).set(places);
  new Gauge({
    name: 'general_ocr_requests_waiting',
    help: 'Requests that wait for an engine process now.',
    registers,
    collect() {
      this.set(engine.status().waiting);
    },
  });
  new Gauge({
    name: 'general_ocr_ready',
    help: '1 when the engine takes pages.',
    registers,
    collect() {
      this.set(engine.status().ready ? 1 : 0);
    },
  });
  new Gauge({
    name: 'general_ocr_engine_processes',
    help: 'Engine processes by state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const state of ['starting', 'idle', 'busy'] as const) {
        this.set({ state }, engine.status().processes.filter((one) => one.state === state).length);
      }
    },
  });
  new Gauge({
    name: 'general_ocr_resident_memory_bytes',
    help: 'Resident memory of the server process and of each engine process.',
    labelNames: ['process'],
    registers,
    collect() {
      this.reset();
      this.set({ process: 'server' }, process.memoryUsage.rss());
      for (const [index, { residentBytes }] of engine.status().processes.entries()) {
        this.set({ process: `engine-${index}` }, residentBytes);
      }
    },
  });
  new Counter({
    name: 'general_ocr_engine_restarts_total',
    help: 'Engine processes that were started in place of another: after a death, a page over its deadline, memory over its limit.',
    labelNames: ['reason'],
    registers,
    collect() {
      // The engine keeps the count; a counter can only be set by starting again from zero.
      this.reset();
      for (const [reason, count] of Object.entries(engine.status().restartsBy)) this.inc({ reason }, count);
    },
  });
}

/** What never changes while the process lives: value 1, the facts as labels, to be joined to other series. */
function registerInfo(registry: Registry, { modelPack }: MetricsOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'general_ocr_build_info',
    help: 'Version of the service and of Node.js; always 1.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version: packageJson.version, node: process.version }, 1);
  const files = new Gauge({
    name: 'general_ocr_model_pack_info',
    help: 'Files of the model pack with their SHA-256; always 1.',
    labelNames: ['pack', 'file', 'sha256'],
    registers,
  });
  for (const { file, sha256 } of modelPack.files) files.set({ pack: modelPack.name, file, sha256 }, 1);
}

/** Creates the registry. Each call gives its own, so that tests and several apps in a process do not meet. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  registerGauges(registry, options);
  registerInfo(registry, options);
  if (options.jobs !== undefined) registerJobMetrics(registry, options.jobs);

  const requests = new Counter({
    name: 'general_ocr_requests_total',
    help: 'Requests by route, method, status and error code (OK without one, ABANDONED when the client left).',
    labelNames: ['route', 'method', 'status', 'code'],
    registers,
  });
  const errors = new Counter({
    name: 'general_ocr_errors_total',
    help: 'Requests that were not answered 2xx or 3xx, by error code (ABANDONED when the client left).',
    labelNames: ['code'],
    registers,
  });
  // From zero on: Prometheus sees no increase in a series that begins with its first error.
  for (const code of [...ERROR_CODES, 'ABANDONED']) errors.inc({ code }, 0);
  const requestSeconds = new Histogram({
    name: 'general_ocr_request_duration_seconds',
    help: 'From the headers of a request to the end of its answer.',
    labelNames: ['route', 'status'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const stageSeconds = new Histogram({
    name: 'general_ocr_stage_duration_seconds',
    help: 'Stages of a page, one after the other: fetch, wait (for an engine process), decode, detect, recognize.',
    labelNames: ['stage'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const pageSeconds = new Histogram({
    name: 'general_ocr_page_duration_seconds',
    help: 'Whole time of a page in its engine process: decode, detect, recognize and what lies between.',
    buckets: DURATION_BUCKETS,
    registers,
  });
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const pages = counter('general_ocr_pages_total', 'Pages read.');
  const lines = counter('general_ocr_lines_total', 'Lines of text read, those below OCR_MIN_SCORE included.');
  const pixels = counter('general_ocr_detector_pixels_total', 'Pixels given to the detector.');
  const width = counter(
    'general_ocr_recognizer_width_pixels_total',
    'Width of all line images given to the recognizer.',
  );

  return {
    contentType: registry.contentType,
    observeRequest({ method, route, status, code, seconds }) {
      requests.inc({ route, method, status, code });
      if (code !== 'OK') errors.inc({ code });
      requestSeconds.observe({ route, status }, seconds);
    },
    observePage({ page, fetchMs, engineMs }) {
      const { decodeMs, detectMs, recognizeMs, totalMs } = page.timings;
      const stages = {
        fetch: fetchMs,
        wait: Math.max(engineMs - totalMs, 0),
        decode: decodeMs,
        detect: detectMs,
        recognize: recognizeMs,
      };
      for (const [stage, ms] of Object.entries(stages)) stageSeconds.observe({ stage }, ms / 1000);
      pageSeconds.observe(totalMs / 1000);
      pages.inc();
      lines.inc(page.lines.length);
      pixels.inc(Math.round(page.cost.detectorMegapixels * 1e6));
      width.inc(page.cost.recognizerWidth);
    },
    text: () => registry.metrics(),
  };
}
