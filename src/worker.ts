/** Process entry of `general-ocr worker`: reads the pictures of jobs until SIGTERM. Settings come from the environment. */
import closeWithGrace from 'close-with-grace';
import { loadConfig } from './config.ts';
import { engineOptions } from './engine-options.ts';
import { startEngine } from './engine/engine.ts';
import { CLOSE_MS } from './http/draining.ts';
import { createLogger } from './http/log.ts';
import { buildProbes } from './http/worker-probes.ts';
import { imageLoaderOptions } from './image-loader-options.ts';
import { createReadPicture } from './jobs/read-picture.ts';
import { startJobWorker } from './jobs/start-worker.ts';
import { createMetrics } from './metrics.ts';
import { describeModelPack } from './models/describe-model-pack.ts';
import { orExit } from './or-exit.ts';
import { createHttpPoster } from './source/http-post.ts';
import { createImageLoader } from './source/load-image.ts';
import { createS3Objects } from './source/s3-objects.ts';
import { startTracing } from './tracing.ts';

const HOUR_MS = 3_600_000;

/** One picture is fetched while another is read: an engine process never waits for the network. */
const PICTURES_FOR_EACH_PROCESS = 2;

const config = orExit(() => {
  const read = loadConfig(process.env);
  if (read.OCR_REDIS_URL === '')
    throw new Error('OCR_REDIS_URL is not set: a worker needs the queue that its jobs come from');
  return read;
});
const log = createLogger(config.LOG_LEVEL);
const concurrency = config.OCR_ENGINE_PROCESSES * PICTURES_FOR_EACH_PROCESS;
const engine = startEngine({ ...engineOptions(config), queueLength: concurrency, log });
const loaderOptions = orExit(() => imageLoaderOptions(config));
const images = orExit(() => createImageLoader(loaderOptions));
const s3 = createS3Objects(loaderOptions.s3);
const poster = createHttpPoster({ ...loaderOptions, timeoutMs: config.OCR_FETCH_TIMEOUT_MS });
await engine.whenReady().catch((error: unknown) => {
  log.fatal({ err: error }, 'the engine cannot start');
  process.exit(1);
});
const modelPack = await describeModelPack(config.OCR_MODELS_DIR, config.OCR_MODEL_PACK);
const metrics = createMetrics({ engine, admission: { inside: 0 }, places: concurrency, modelPack });
const tracing = await startTracing({ endpoint: config.OCR_TRACES_ENDPOINT, ratio: config.OCR_TRACES_RATIO, log });
const probes = config.OCR_WORKER_PORT === 0 ? undefined : await buildProbes({ engine, metrics, logger: log });
await probes?.listen({ host: config.HOST, port: config.OCR_WORKER_PORT });
const worker = await startJobWorker({
  redisUrl: config.OCR_REDIS_URL,
  engine,
  readPicture: createReadPicture({
    engine,
    images,
    s3,
    onPage: (observation, { traceparent }) => {
      metrics.observePage(observation);
      const trace = tracing?.begin(traceparent);
      trace?.addPage(observation);
      trace?.end({ method: 'JOB', route: '/v1/jobs', status: 200, code: 'OK' });
    },
    timeoutMs: config.OCR_REQUEST_TIMEOUT_MS,
    maxSide: config.OCR_MAX_SIDE,
    minScore: config.OCR_MIN_SCORE,
    moreFormats: config.OCR_MORE_FORMATS,
    maxPages: config.OCR_MAX_PAGES,
  }),
  s3,
  poster,
  webhookSecret: config.OCR_JOBS_WEBHOOK_SECRET,
  concurrency,
  ahead: config.OCR_JOBS_AHEAD,
  tries: config.OCR_JOBS_TRIES,
  maxFailed: config.OCR_JOBS_MAX_FAILED,
  maxKept: config.OCR_JOBS_MAX_KEPT,
  keepMs: config.OCR_JOBS_KEEP_HOURS * HOUR_MS,
  log,
});
closeWithGrace({ delay: CLOSE_MS, logger: log }, async ({ err, signal }) => {
  if (err) log.fatal({ err }, 'uncaught error');
  log.info({ signal }, 'closing');
  await worker.close();
  await Promise.all([images.close(), s3.close(), engine.close(), probes?.close(), tracing?.close()]);
  log.info('closed');
});
log.info({ concurrency }, 'worker ready');
