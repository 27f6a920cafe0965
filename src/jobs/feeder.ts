import { OcrError } from '../errors.ts';
import type { FindPictures } from './find-pictures.ts';
import type { JobStatus, Priority } from './job.ts';
import type { TaskQueue } from './queue.ts';
import type { ActiveJob, WorkStore } from './work-store.ts';

export interface FeederOptions {
  readonly store: WorkStore;
  readonly queue: Pick<TaskQueue, 'addPictures' | 'addChore' | 'missing'>;
  readonly findPictures: FindPictures;
  /** Name of this worker, and the pictures that it reads at a time. */
  readonly worker: string;
  readonly concurrency: number;
  /** Most pictures of all jobs together that are handed out at a time. */
  readonly ahead: number;
  /** Most pictures of a job whose results are kept in the queue. */
  readonly maxKept: number;
  readonly log: { warn(fields: object, message: string): void };
}

export interface Feeder {
  /** Told that there may be room for more pictures. */
  poke(): void;
  /** Pictures of a job that may be handed out at a time, as of the last look. */
  readonly share: number;
  stop(): Promise<void>;
}

/** Every worker looks so often, and one of them feeds: a new job waits half of this. */
const LOOK_MS = 250;

/** A feeder that was killed holds up the others for this long; what is handed out meanwhile lasts for most of it. */
const ALONE_MS = 3000;

/** How often a worker says that it lives; it counts for 10 s. */
const ANNOUNCE_MS = 2000;

/** How often the tasks of what is handed out are looked for. */
const RECONCILE_MS = 5000;

/**
 * Pictures handed out for each that the workers read at a time: enough that nobody waits for the feeder, and few enough
 * that the first picture of a new job has no more than these before it.
 */
const AHEAD_OF_EACH = 8;

/** Most that is looked up at one go (the S3 API lists 1,000 keys). */
const MOST_AT_ONCE = 1000;

/** A job is fed when a quarter of its share is free, so that sources are asked for batches. */
const FEED_FROM = 4;

/** Shares of the queue. */
const WEIGHTS: Readonly<Record<Priority, number>> = { high: 4, normal: 2, low: 1 };

/** A source that cannot be listed is asked again after 1, 2, 4 and 8 s. */
const LIST_TRIES = 5;
const LIST_BACKOFF_MS = 1000;

/** Failures of a listing that may pass; everything else is the caller's to mend. */
const MAY_PASS: readonly string[] = ['SOURCE_UNAVAILABLE', 'UNAVAILABLE', 'DEADLINE_EXCEEDED'];

/**
 * Hands out pictures of all jobs, each up to its share of what is handed out at all: a job of ten pictures beside one of a
 * million gets half of the workers, and whatever the number and size of the jobs, the queue holds the same few tasks.
 *
 * What is handed out is written down in one step with where to go on (`reserve`), and only then put into the queue. So a
 * feeder may die at any point: tasks that are missing are put there by the next (`reconcile`).
 */
export function startFeeder(options: FeederOptions): Feeder {
  const { store, queue, log } = options;
  const reconciledAt = new Map<string, number>();
  let share = 1;
  let pictures = options.concurrency;
  let announcedAt = 0;
  let stopped = false;
  let looking: Promise<void> | undefined;
  let again = false;

  async function look(): Promise<void> {
    const now = Date.now();
    if (now - announcedAt >= ANNOUNCE_MS) {
      pictures = await store.announce(options.worker, options.concurrency);
      announcedAt = now;
    }
    await store.alone(ALONE_MS, async () => {
      const jobs = await store.activeJobs();
      for (const id of reconciledAt.keys()) if (!jobs.some(({ status }) => status.id === id)) reconciledAt.delete(id);
      const weights = jobs.filter(isHungry).reduce((sum, { status }) => sum + WEIGHTS[status.spec.priority], 0);
      const window = Math.min(pictures * AHEAD_OF_EACH, options.ahead);
      for (const job of jobs) {
        if (stopped) return;
        const weight = WEIGHTS[job.status.spec.priority];
        share = Math.max(Math.floor((window * weight) / Math.max(weights, weight)), 1);
        await serve(job, share).catch((error: unknown) => {
          log.warn({ err: error, job: job.status.id }, 'a job could not be fed');
        });
      }
      for (const id of await store.pendingWebhooks()) {
        const status = await store.status(id);
        if (status !== undefined) await queue.addChore({ kind: 'webhook', job: id, round: status.round });
        else await store.webhookEnded(id, 'failed');
      }
    });
  }

  async function serve(job: ActiveJob, most: number): Promise<void> {
    const { id, state } = job.status;
    if (state === 'finishing') return queue.addChore({ kind: 'finish', job: id });
    const room = Math.min(most - job.out, MOST_AT_ONCE);
    if (room >= Math.max(most / FEED_FROM, 1)) await feed(job, room);
    const now = Date.now();
    if (now - (reconciledAt.get(id) ?? 0) < RECONCILE_MS) return;
    reconciledAt.set(id, now);
    const missing = await queue.missing(id, await store.outstanding(id));
    if (missing.length > 0) await queue.addPictures(id, missing);
  }

  async function feed(job: ActiveJob, room: number): Promise<void> {
    const { id, spec, found, listed } = job.status;
    const indexes = job.again > 0 ? await store.reserveAgain(id, room) : [];
    if (indexes.length > 0) return queue.addPictures(id, indexes);
    if (listed || job.stopped || job.listAfter > Date.now()) return;
    try {
      const batch = await options.findPictures(id, spec.source, job.cursor, room);
      if (spec.output === undefined) refuseTooMany(found + batch.sources.length, options.maxKept);
      const first = await store.reserve(id, job.cursor, batch);
      if (first === undefined) return;
      await queue.addPictures(
        id,
        batch.sources.map((_, i) => first + i),
      );
    } catch (error) {
      await onListingFailed(job, error);
    }
  }

  async function onListingFailed({ status, listTries }: ActiveJob, error: unknown): Promise<void> {
    if (!(error instanceof OcrError)) throw error;
    const tries = listTries + 1;
    log.warn({ job: status.id, code: error.code, reason: error.message, detail: error.detail }, 'listing failed');
    if (MAY_PASS.includes(error.code) && tries < LIST_TRIES) {
      await store.postponeListing(status.id, tries, Date.now() + LIST_BACKOFF_MS * 2 ** (tries - 1));
    } else {
      await store.stopListing(status.id, { code: error.code, message: error.message });
    }
  }

  function poke(): void {
    if (stopped) return;
    if (looking !== undefined) {
      again = true;
      return;
    }
    looking = look()
      .catch((error: unknown) => log.warn({ err: error }, 'the queue could not be fed'))
      .finally(() => {
        looking = undefined;
        if (again) {
          again = false;
          poke();
        }
      });
  }

  const timer = setInterval(poke, LOOK_MS);
  poke();
  return {
    poke,
    get share() {
      return share;
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      await store.retire(options.worker);
    },
  };
}

/** Whether a job would take pictures if it got any. */
const isHungry = ({ status, again, out, stopped }: ActiveJob): boolean =>
  isOpen(status) && (again > 0 || out > 0 || (!status.listed && !stopped));

const isOpen = ({ state }: JobStatus): boolean => state === 'queued' || state === 'running';

/** @throws {OcrError} INVALID_REQUEST */
function refuseTooMany(found: number, most: number): void {
  if (found <= most) return;
  throw new OcrError(
    'INVALID_REQUEST',
    `The source has more than ${most} pictures, more than can be kept in the queue. Give an \`output\` in S3; the operator can raise OCR_JOBS_MAX_KEPT.`,
  );
}
