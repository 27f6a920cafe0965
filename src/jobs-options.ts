import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { imageLoaderOptions } from './image-loader-options.ts';
import type { OpenJobsOptions } from './jobs/open-jobs.ts';

const MEBIBYTE = 1_048_576;

/** What the settings say about jobs, for the server. */
export const jobsOptions = (config: Config, log: Pick<Logger, 'warn'>): OpenJobsOptions => ({
  redisUrl: config.OCR_REDIS_URL,
  images: imageLoaderOptions(config),
  outputBuckets: config.OCR_JOBS_OUTPUT_BUCKETS,
  webhooks: config.OCR_JOBS_WEBHOOK_SECRET !== '',
  maxJobs: config.OCR_JOBS_MAX,
  maxMemoryBytes: config.OCR_JOBS_REDIS_MEMORY_MB * MEBIBYTE,
  log,
});
