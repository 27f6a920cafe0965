import { randomBytes } from 'node:crypto';
import type { Engine } from '../engine/engine.ts';
import type { HttpPoster } from '../source/http-post.ts';
import type { S3Objects } from '../source/s3-objects.ts';
import { createChores } from './chores.ts';
import { startFeeder, type Feeder } from './feeder.ts';
import { createFindPictures } from './find-pictures.ts';
import { createPictureTask, type ReadPicture } from './picture-task.ts';
import { startTaskQueue, type Chore, type TaskQueue } from './queue.ts';
import { connectRedis, lessOften } from './redis.ts';
import { createWorkStore } from './work-store.ts';

export interface WorkerOptions {
  readonly redisUrl: string;
  readonly engine: Pick<Engine, 'status'>;
  readonly readPicture: ReadPicture;
  readonly s3: S3Objects;
  readonly poster: Pick<HttpPoster, 'post'>;
  /** OCR_JOBS_WEBHOOK_SECRET. */
  readonly webhookSecret: string;
  /** Pictures at a time. */
  readonly concurrency: number;
  /** Most pictures of all jobs together that are handed out at a time. */
  readonly ahead: number;
  /** How often a picture is tried that fails for a reason that may pass. */
  readonly tries: number;
  /** Failed pictures after which a job is not listed on. */
  readonly maxFailed: number;
  /** Most pictures of a job whose results are kept in the queue. */
  readonly maxKept: number;
  /** How long an ended job is kept. */
  readonly keepMs: number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

export interface JobWorker {
  /** Takes no more, finishes what it has, and lets go of the queue. */
  close(): Promise<void>;
}

/** A share of which less than half is handed out is filled up at once rather than at the next look. */
const REFILL_BELOW = 0.5;

/** Joins the workers of the queue: reads pictures, does chores, and feeds the queue in turn with the others. */
export async function startJobWorker(options: WorkerOptions): Promise<JobWorker> {
  const { log, s3, concurrency } = options;
  const onError = lessOften((error) => log.warn({ err: error }, 'the queue does not answer'));
  const redis = connectRedis(options.redisUrl, 'work', onError);
  const store = createWorkStore({ redis, maxFailed: options.maxFailed });
  // The queue calls the handlers, and they add to the queue.
  const parts: { queue?: TaskQueue; feeder?: Feeder } = {};
  const addChore = async (chore: Chore): Promise<void> => parts.queue?.addChore(chore);
  const queue = startTaskQueue({
    redis,
    concurrency,
    tries: options.tries,
    onError,
    handlers: {
      picture: createPictureTask({
        store,
        readPicture: options.readPicture,
        isReady: () => options.engine.status().ready,
        addChore,
        onSettled: (out) => {
          const { feeder } = parts;
          if (feeder !== undefined && out < feeder.share * REFILL_BELOW) feeder.poke();
        },
        tries: options.tries,
        log,
      }),
      chore: createChores({ ...options, store, addChore }),
    },
  });
  parts.queue = queue;
  const feeder = startFeeder({
    store,
    queue,
    findPictures: createFindPictures(store, s3),
    worker: randomBytes(8).toString('hex'),
    concurrency,
    ahead: options.ahead,
    maxKept: options.maxKept,
    log,
  });
  parts.feeder = feeder;
  return {
    async close() {
      await feeder.stop();
      await queue.close();
      redis.disconnect();
    },
  };
}
