import { randomUUID } from 'node:crypto';
import { PART_SIZE, type JobSpec, type JobStatus, type PictureResult, type PublicError } from './job.ts';
import { toJobStatus } from './job-status.ts';
import type { DeadLetter } from './job-store.ts';
import { jobKeys, KEYS, partKey } from './keys.ts';
import { type Redis, scriptsOn } from './redis.ts';
import { decodeResult, encodeResult } from './result-codec.ts';

/** A picture that a worker has begun. */
export interface BegunPicture {
  readonly source: string;
  /** How often it was begun, this time included. */
  readonly times: number;
  readonly spec: JobSpec;
}

/** What was found of a source at one go. */
export interface Batch {
  readonly sources: readonly string[];
  /** Where to go on. */
  readonly cursor: string;
  /** Whether there is no more. */
  readonly atEnd: boolean;
}

/** What settling a picture has brought about. */
export interface Settled {
  /** False: somebody else had settled it, or the job has ended. */
  readonly first: boolean;
  /** Every picture of the job is settled. */
  readonly jobIsSettled: boolean;
  /** Every picture of the part is. */
  readonly partIsSettled: boolean;
  /** Pictures of the job that are handed out. */
  readonly out: number;
}

/** A job that has not ended, as the feeder needs it. */
export interface ActiveJob {
  readonly status: JobStatus;
  readonly cursor: string;
  /** Failed attempts to list on. */
  readonly listTries: number;
  /** Not before this time. */
  readonly listAfter: number;
  /** The listing was given up. */
  readonly stopped: boolean;
  /** Pictures that are handed out. */
  readonly out: number;
  /** Failed pictures that wait for another chance. */
  readonly again: number;
}

/** Jobs as the workers see them. */
export interface WorkStore {
  activeJobs(): Promise<ActiveJob[]>;
  status(id: string): Promise<JobStatus | undefined>;
  /** Sources of a list from `from` on. */
  listed(id: string, from: number, most: number): Promise<string[]>;
  /** Gives the index of the first of `batch`; undefined where the job takes none, or somebody was faster. */
  reserve(id: string, before: string, batch: Batch): Promise<number | undefined>;
  /** Gives the indexes of failed pictures that are handed out again. */
  reserveAgain(id: string, most: number): Promise<number[]>;
  /** Indexes of all pictures that are handed out. */
  outstanding(id: string): Promise<number[]>;
  postponeListing(id: string, tries: number, after: number): Promise<void>;
  stopListing(id: string, error: PublicError): Promise<void>;
  begin(id: string, index: number): Promise<BegunPicture | undefined>;
  settle(id: string, result: PictureResult): Promise<Settled>;
  /** Numbers of the parts that are in the queue. */
  parts(id: string): Promise<number[]>;
  /** Results of a part with what `dropWritten` wants of them. */
  part(id: string, part: number): Promise<{ results: PictureResult[]; stored: Readonly<Record<string, Buffer>> }>;
  dropWritten(id: string, part: number, stored: Readonly<Record<string, Buffer>>): Promise<void>;
  /** Ends a job; false where it has been ended. */
  finish(id: string, keepMs: number, webhook: boolean): Promise<boolean>;
  /** Jobs whose webhook is to be delivered. */
  pendingWebhooks(): Promise<string[]>;
  webhookEnded(id: string, how: 'delivered' | 'failed'): Promise<void>;
  /** Says that a worker lives and reads so many pictures at a time; gives those of all that live. */
  announce(worker: string, concurrency: number): Promise<number>;
  retire(worker: string): Promise<void>;
  /** Runs `work` if nobody else does or just did, for at most `ms`. */
  alone(ms: number, work: () => Promise<void>): Promise<void>;
}

/** How long a worker counts after it was last heard of. */
const WORKER_MS = 10_000;

/** Twenty looks a second of all workers together, however many there are: they feed some 1,000 pictures each. */
const PAUSE_MS = 50;

/** The rate of a job is counted over windows of this length. */
const RATE_WINDOW_MS = 20_000;

export interface WorkStoreOptions {
  readonly redis: Redis;
  /** A job with so many failed pictures is not listed on: something is wrong with all of it. */
  readonly maxFailed: number;
}

export function createWorkStore({ redis, maxFailed }: WorkStoreOptions): WorkStore {
  const run = scriptsOn(redis);
  const tooManyFailed: PublicError = {
    code: 'TOO_MANY_FAILED',
    message: `${maxFailed} pictures failed, so no more were begun. See the dead-letter list for why; the operator can raise OCR_JOBS_MAX_FAILED.`,
  };

  async function activeJob(id: string): Promise<ActiveJob | undefined> {
    const keys = jobKeys(id);
    const [hash, out, again] = await Promise.all([
      redis.hgetall(keys.job),
      redis.hlen(keys.out),
      redis.llen(keys.again),
    ]);
    const status = toJobStatus(id, hash, Date.now());
    if (status === undefined) return undefined;
    const { cursor = '', listTries = '0', listAfter = '0' } = hash;
    return {
      // Callers see a cancelled job as ended; the feeder still has to have it finished.
      status: { ...status, state: hash.state as JobStatus['state'] },
      cursor,
      listTries: Number(listTries),
      listAfter: Number(listAfter),
      stopped: hash.stopped === '1',
      out,
      again,
    };
  }

  return {
    async activeJobs() {
      const jobs = await Promise.all((await redis.zrange(KEYS.active, '0', '-1')).map(activeJob));
      return jobs.filter((job) => job !== undefined);
    },
    async status(id) {
      return toJobStatus(id, await redis.hgetall(jobKeys(id).job), Date.now());
    },
    listed: (id, from, most) => redis.lrange(jobKeys(id).sources, from, from + most - 1),
    async reserve(id, before, { sources, cursor, atEnd }) {
      const { job, out } = jobKeys(id);
      const first = Number(await run('reserve', [job, out], [Date.now(), before, cursor, atEnd ? 1 : 0, ...sources]));
      return first < 0 ? undefined : first;
    },
    async reserveAgain(id, most) {
      const { job, again, out } = jobKeys(id);
      return ((await run('reserveAgain', [job, again, out], [most])) as string[]).map(Number);
    },
    async outstanding(id) {
      return (await redis.hkeys(jobKeys(id).out)).map(Number);
    },
    async postponeListing(id, tries, after) {
      await redis.hset(jobKeys(id).job, { listTries: tries, listAfter: after });
    },
    async stopListing(id, { code, message }) {
      await run('stopListing', [jobKeys(id).job], [Date.now(), code, message]);
    },
    async begin(id, index) {
      const { job, out, begun } = jobKeys(id);
      const answer = (await run('begin', [job, out, begun, KEYS.totals], [index])) as [] | [string, number, string];
      if (answer.length === 0) return undefined;
      const [source, times, spec] = answer;
      return { source, times, spec: JSON.parse(spec) as JobSpec };
    },
    async settle(id, result) {
      const { job, out, settled, begun, parts, dead, deadOrder } = jobKeys(id);
      const { index, source, error, tries = 1 } = result;
      const part = Math.floor(index / PART_SIZE);
      const letter: DeadLetter | undefined = error === undefined ? undefined : { index, source, error, tries };
      const [first, jobIsSettled, partIsSettled, stillOut] = (await run(
        'settle',
        [job, out, settled, begun, partKey(id, part), parts, dead, deadOrder, KEYS.totals],
        [
          index,
          part,
          PART_SIZE,
          Date.now(),
          result.pages ?? 0,
          encodeResult(result),
          letter === undefined ? '' : JSON.stringify(letter),
          maxFailed,
          tooManyFailed.code,
          tooManyFailed.message,
          RATE_WINDOW_MS,
        ],
      )) as [number, number, number, number];
      return {
        first: first === 1,
        jobIsSettled: jobIsSettled === 1,
        partIsSettled: partIsSettled === 1,
        out: stillOut,
      };
    },
    async parts(id) {
      return (await redis.smembers(jobKeys(id).parts)).map(Number);
    },
    async part(id, part) {
      const stored = await redis.hgetallBuffer(partKey(id, part));
      return { results: Object.values(stored).map(decodeResult), stored };
    },
    async dropWritten(id, part, stored) {
      await run('dropWritten', [partKey(id, part), jobKeys(id).parts], [part, ...Object.entries(stored).flat()]);
    },
    async finish(id, keepMs, webhook) {
      const { job, out, again, sources, begun, settled, dead, deadOrder, parts } = jobKeys(id);
      const keys = [job, KEYS.active, KEYS.totals, KEYS.webhooks, out, again, sources, begun, settled, dead, deadOrder];
      return (await run('finish', [...keys, parts], [id, Date.now(), keepMs, webhook ? 1 : 0])) === 1;
    },
    pendingWebhooks: () => redis.smembers(KEYS.webhooks),
    async webhookEnded(id, how) {
      await redis.multi().hset(jobKeys(id).job, 'webhook', how).srem(KEYS.webhooks, id).exec();
    },
    async announce(worker, concurrency) {
      const now = Date.now();
      await redis.hset(KEYS.workers, worker, `${concurrency}:${now + WORKER_MS}`);
      let all = 0;
      for (const [name, announced] of Object.entries(await redis.hgetall(KEYS.workers))) {
        const [pictures, until] = announced.split(':').map(Number);
        if (until > now) all += pictures;
        else await redis.hdel(KEYS.workers, name);
      }
      return all;
    },
    async retire(worker) {
      await redis.hdel(KEYS.workers, worker);
    },
    async alone(ms, work) {
      const token = randomUUID();
      if ((await redis.set(KEYS.feeding, token, 'PX', ms, 'NX')) === null) return;
      try {
        await work();
      } finally {
        await run('release', [KEYS.feeding], [token, PAUSE_MS]);
      }
    },
  };
}
