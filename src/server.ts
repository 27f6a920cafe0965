import closeWithGrace from 'close-with-grace';
import { loadConfig } from './config.ts';
import { engineOptions } from './engine-options.ts';
import { createAdmission } from './engine/admission.ts';
import { startEngine } from './engine/engine.ts';
import { CLOSE_MS } from './http/draining.ts';
import { createLogger } from './http/log.ts';
import { imageLoaderOptions } from './image-loader-options.ts';
import { jobsOptions } from './jobs-options.ts';
import { describeModelPack } from './models/describe-model-pack.ts';
import { orExit } from './or-exit.ts';
import { startTracing } from './tracing.ts';
import { weakenedPromises } from './weakened-promises.ts';

const config = orExit(() => loadConfig(process.env));
const logger = createLogger(config.LOG_LEVEL);
for (const weakened of weakenedPromises(config)) logger.warn(weakened, 'setting weakens a promise of docs/security.md');
const engine = startEngine({ ...engineOptions(config), queueLength: config.OCR_QUEUE_LENGTH, log: logger });
// Only now, so that the engine processes load their models on one core while these are loaded on another.
const [{ buildApp }, { createMetrics }, { createImageLoader }] = await Promise.all([
  import('./app.ts'),
  import('./metrics.ts'),
  import('./source/load-image.ts'),
]);
const images = orExit(() => createImageLoader(imageLoaderOptions(config)));
const places = config.OCR_ENGINE_PROCESSES + config.OCR_QUEUE_LENGTH;
const admission = createAdmission({ limit: places });
const modelPack = await describeModelPack(config.OCR_MODELS_DIR, config.OCR_MODEL_PACK);
const jobs =
  config.OCR_REDIS_URL === '' ? undefined : (await import('./jobs/open-jobs.ts')).openJobs(jobsOptions(config, logger));
const metrics = createMetrics({ engine, admission, places, modelPack, jobs: jobs?.figures });
const tracing = await startTracing({
  endpoint: config.OCR_TRACES_ENDPOINT,
  ratio: config.OCR_TRACES_RATIO,
  log: logger,
});
const app = await buildApp({ config, engine, admission, images, metrics, modelPack, tracing, jobs, logger });

/**
 * Connections that wait to be taken; the system has a limit of its own (net.core.somaxconn, 4096). With Node's 511 some of a thousand that come at
 * once are dropped, and try again after one, three and seven seconds, good ones among them.
 */
const BACKLOG = 4096;

let closing = false;

// A second signal ends the process at once; errors that nobody caught end it with 1 after the same steps.
closeWithGrace({ delay: CLOSE_MS, logger }, async ({ err, signal }) => {
  if (err) logger.fatal({ err }, 'uncaught error');
  closing = true;
  logger.info({ signal }, 'closing');
  await app.close();
  await images.close();
  await jobs?.close();
  await engine.close();
  await tracing?.close();
  logger.info('closed');
});

/** The service cannot do its work: say why, leave nothing running, end with 1. */
async function giveUp(error: unknown, message: string): Promise<void> {
  if (closing) return;
  logger.fatal({ err: error }, message);
  await Promise.allSettled([app.close(), images.close(), jobs?.close(), engine.close()]);
  process.exit(1);
}

// Listening comes first: probes get an answer (live, not ready) while the models load.
try {
  await app.listen({ host: config.HOST, port: config.PORT, backlog: BACKLOG });
  engine.whenReady().then(
    () => logger.info({ status: engine.status() }, 'ready'),
    (error: unknown) => giveUp(error, 'the engine cannot start'),
  );
} catch (error) {
  await giveUp(error, 'cannot listen');
}
