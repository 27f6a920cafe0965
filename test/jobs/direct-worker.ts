/**
 * A worker without a queue: the engine, the sources and the results of `general-ocr worker`, fed from a list that comes with
 * `ready` (a message of its parent: addresses). What the queue costs is measured against it.
 */
import pMap from 'p-map';
import { loadConfig } from '../../src/config.ts';
import { engineOptions } from '../../src/engine-options.ts';
import { startEngine } from '../../src/engine/engine.ts';
import { imageLoaderOptions } from '../../src/image-loader-options.ts';
import { createReadPicture } from '../../src/jobs/read-picture.ts';
import type { JobSpec } from '../../src/jobs/job.ts';
import { createImageLoader } from '../../src/source/load-image.ts';
import { createS3Objects } from '../../src/source/s3-objects.ts';

/** As src/worker.ts has it. */
const PICTURES_FOR_EACH_PROCESS = 2;

const SPEC: JobSpec = {
  source: { kind: 'prefix', bucket: 'scans', prefix: 'in/' },
  options: {
    format: 'json',
    words: false,
    characters: false,
    orientation: 'auto',
    textLayer: 'auto',
    pages: { first: 1 },
  },
  output: { bucket: 'texts', prefix: 'direct/' },
  priority: 'normal',
  owner: '',
  digest: '',
};

const config = loadConfig(process.env);
const concurrency = config.OCR_ENGINE_PROCESSES * PICTURES_FOR_EACH_PROCESS;
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const engine = startEngine({ ...engineOptions(config), queueLength: concurrency, log: silent });
const options = imageLoaderOptions(config);
const readPicture = createReadPicture({
  engine,
  images: createImageLoader(options),
  s3: createS3Objects(options.s3),
  onPage: () => undefined,
  timeoutMs: config.OCR_REQUEST_TIMEOUT_MS,
  maxSide: config.OCR_MAX_SIDE,
  minScore: config.OCR_MIN_SCORE,
  moreFormats: config.OCR_MORE_FORMATS,
  maxPages: config.OCR_MAX_PAGES,
});
process.on('message', (sources: string[]) => {
  void (async () => {
    await pMap(sources, (source) => readPicture({ source, index: 0 }, SPEC), { concurrency });
    process.send?.('done');
  })();
});
process.on('disconnect', () => process.exit(0));
await engine.whenReady();
process.send?.('ready');
