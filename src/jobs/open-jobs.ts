import { OcrError } from '../errors.ts';
import { createHttpPoster } from '../source/http-post.ts';
import type { ImageLoaderOptions } from '../source/load-image.ts';
import { createS3Objects } from '../source/s3-objects.ts';
import { createJobStore, type JobStore } from './job-store.ts';
import { createJobs, type Jobs, type JobsOptions } from './jobs.ts';
import { connectRedis, lessOften } from './redis.ts';

export interface OpenJobsOptions extends Pick<
  JobsOptions,
  'outputBuckets' | 'webhooks' | 'maxJobs' | 'maxMemoryBytes'
> {
  readonly redisUrl: string;
  readonly images: ImageLoaderOptions;
  readonly log: { warn(fields: object, message: string): void };
}

/**
 * Connects the routes to the queue. Loaded only where OCR_REDIS_URL is set: a server without jobs pays nothing for them.
 */
export function openJobs(options: OpenJobsOptions): Jobs {
  const { images, maxJobs, log } = options;
  const onError = lessOften((error) => log.warn({ err: error }, 'the queue does not answer'));
  const redis = connectRedis(options.redisUrl, 'answer', onError);
  return createJobs({
    ...options,
    store: sayingUnavailable(createJobStore({ redis, maxJobs })),
    s3: createS3Objects(images.s3),
    poster: createHttpPoster({ ...images, timeoutMs: images.fetchTimeoutMs }),
    sourceBuckets: images.s3.buckets,
  });
}

/** What Redis or the way to it says is no bug of ours, and nothing for callers. */
async function unavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new OcrError(
      'UNAVAILABLE',
      'The queue of the jobs does not answer. Try again in some seconds; the operator checks Redis and OCR_REDIS_URL.',
      {
        detail: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
        retryAfterSeconds: 5,
      },
    );
  }
}

const sayingUnavailable = (store: JobStore): JobStore => ({
  create: (...given) => unavailable(store.create(...given)),
  status: (...given) => unavailable(store.status(...given)),
  deadLetters: (...given) => unavailable(store.deadLetters(...given)),
  settled: (...given) => unavailable(store.settled(...given)),
  part: (...given) => unavailable(store.part(...given)),
  cancel: (...given) => unavailable(store.cancel(...given)),
  retry: (...given) => unavailable(store.retry(...given)),
  figures: () => unavailable(store.figures()),
  memoryBytes: () => unavailable(store.memoryBytes()),
  close: () => store.close(),
});
