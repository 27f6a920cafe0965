import { Queue, Worker, DelayedError, type Job } from 'bullmq';
import { KEY_PREFIX } from './keys.ts';
import type { Redis } from './redis.ts';

/** A picture to be read. */
export interface PictureTask {
  readonly job: string;
  readonly index: number;
}

/** Everything of a job that is not reading pictures. */
export type Chore =
  | { readonly kind: 'part'; readonly job: string; readonly part: number }
  | { readonly kind: 'finish'; readonly job: string }
  | { readonly kind: 'webhook'; readonly job: string; readonly round: number };

/** Which attempt this is, from 1, and whether there will be another. */
export interface Attempt {
  readonly number: number;
  readonly isLast: boolean;
}

/** To be thrown by a handler that cannot work now: the task comes back later and no attempt is counted. */
export class NotNow extends Error {
  override readonly name = 'NotNow';
}

export interface QueueHandlers {
  picture(task: PictureTask, attempt: Attempt): Promise<void>;
  chore(chore: Chore, attempt: Attempt): Promise<void>;
}

export interface TaskQueue {
  /** Adds what is not there yet. */
  addPictures(job: string, indexes: readonly number[]): Promise<void>;
  /** Those of `indexes` that are not in the queue. */
  missing(job: string, indexes: readonly number[]): Promise<number[]>;
  addChore(chore: Chore): Promise<void>;
  /** Takes no new tasks, and resolves when those at work are done. */
  close(): Promise<void>;
}

export interface TaskQueueOptions {
  readonly redis: Redis;
  /** Pictures at a time. */
  readonly concurrency: number;
  /** How often a picture is tried that fails for a reason that may pass. */
  readonly tries: number;
  readonly handlers: QueueHandlers;
  readonly onError: (error: Error) => void;
}

/**
 * A worker that was killed is noticed when its lock on a picture has run out: after 10 to 15 s its pictures are with others.
 * Locks are renewed every 5 s, by an event loop that never does more than a few milliseconds of work at a time.
 */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;

/** Whether a picture has cost too many workers is decided by `picture-task.ts`, which says so in the job's results. */
const NEVER = 1_000_000;

/** 1, 2, 4 ... seconds, each shortened by up to half so that pictures of one dead host do not come back in step. */
const PICTURE_BACKOFF = { type: 'exponential', delay: 1000, jitter: 0.5 } as const;

/** Parts and ends of jobs are never given up: 2 s to 17 minutes apart, then the feeder adds them anew. */
const CHORE_BACKOFF = { type: 'exponential', delay: 2000, jitter: 0.25 } as const;
const CHORE_TRIES = 10;

/** Of little use to anybody here, and memory in Redis: BullMQ keeps 10,000 by itself. */
const EVENTS = { maxLen: 100 };

/** Chores that one worker does at a time; they wait for S3 and for webhooks. */
const CHORES_AT_A_TIME = 4;

/** How long a task that came at a bad time waits. */
const NOT_NOW_MS = 2000;

const taskId = (job: string, index: number): string => `${job}.${index}`;

function choreId(chore: Chore): string {
  const id = `${chore.job}.${chore.kind}`;
  switch (chore.kind) {
    case 'part':
      return `${id}.${chore.part}`;
    case 'finish':
      return id;
    case 'webhook':
      return `${id}.${chore.round}`;
  }
}

/** BullMQ's queues of pictures and chores, and a worker of each in this process. */
export function startTaskQueue(options: TaskQueueOptions): TaskQueue {
  const { redis, concurrency, tries, handlers, onError } = options;
  const shared = { connection: redis, prefix: KEY_PREFIX };
  const forget = { removeOnComplete: true, removeOnFail: true };
  const pictures = new Queue<PictureTask>('pictures', {
    ...shared,
    streams: { events: EVENTS },
    defaultJobOptions: { ...forget, attempts: tries, backoff: PICTURE_BACKOFF },
  });
  const chores = new Queue<Chore>('chores', {
    ...shared,
    streams: { events: EVENTS },
    defaultJobOptions: { ...forget, attempts: CHORE_TRIES, backoff: CHORE_BACKOFF },
  });
  const work = { ...shared, lockDuration: LOCK_MS, stalledInterval: STALLED_CHECK_MS, maxStalledCount: NEVER };
  const workers = [
    new Worker<PictureTask>('pictures', (job, token) => handle(job, token, handlers.picture), { ...work, concurrency }),
    new Worker<Chore>('chores', (job, token) => handle(job, token, handlers.chore), {
      ...work,
      concurrency: CHORES_AT_A_TIME,
    }),
  ];
  for (const queue of [pictures, chores]) queue.on('error', onError);
  for (const worker of workers) worker.on('error', onError);

  return {
    async addPictures(job, indexes) {
      await pictures.addBulk(
        indexes.map((index) => ({ name: 'picture', data: { job, index }, opts: { jobId: taskId(job, index) } })),
      );
    },
    async missing(job, indexes) {
      const there = redis.pipeline();
      for (const index of indexes) there.exists(pictures.toKey(taskId(job, index)));
      const answers = (await there.exec()) ?? [];
      return indexes.filter((_, i) => answers[i]?.[1] === 0);
    },
    async addChore(chore) {
      await chores.add(chore.kind, chore, { jobId: choreId(chore) });
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
      await Promise.all([pictures.close(), chores.close()]);
    },
  };
}

async function handle<T>(job: Job<T>, token: string | undefined, work: (task: T, attempt: Attempt) => Promise<void>) {
  const number = job.attemptsMade + 1;
  try {
    await work(job.data, { number, isLast: number >= (job.opts.attempts ?? 1) });
  } catch (error) {
    if (!(error instanceof NotNow)) throw error;
    await job.moveToDelayed(Date.now() + NOT_NOW_MS, token);
    throw new DelayedError();
  }
}
