import { randomBytes } from 'node:crypto';
import { PART_SIZE, type JobSpec, type JobStatus, type PictureResult, type PublicError } from './job.ts';
import { toJobStatus } from './job-status.ts';
import { jobKeys, KEYS, partKey, sameKey } from './keys.ts';
import { type Redis, scriptsOn } from './redis.ts';
import { decodeResult } from './result-codec.ts';

/** A picture that was given up. */
export interface DeadLetter {
  readonly index: number;
  readonly source: string;
  readonly error: PublicError;
  readonly tries: number;
}

/** Names a request, so that the same one again gets the same job. */
export interface Fingerprint {
  readonly hash: string;
  /** Whether it also names the job once that has ended: a key that the client chose, as long as the job is kept. */
  readonly stays: boolean;
}

/** What of the queue a scrape shows. */
export interface QueueFigures {
  readonly active: number;
  /** Pictures that are handed out to workers or wait for one. */
  readonly waiting: number;
  readonly workers: number;
  /** Counters by their name in Redis: `pictures_done`, `jobs_failed` and so on. */
  readonly totals: Readonly<Record<string, number>>;
}

/** Jobs as those who give them see them. */
export interface JobStore {
  /**
   * Puts a job into the queue.
   *
   * @param sources of a job whose source is a list; else empty
   * @returns its id, and whether the same request had made it before; undefined where too many jobs are there
   */
  create(
    spec: JobSpec,
    sources: readonly string[],
    fingerprint: Fingerprint,
  ): Promise<{ id: string; isNew: boolean } | undefined>;
  status(id: string): Promise<JobStatus | undefined>;
  /** Failed pictures with an index of at least `from`, in their order. */
  deadLetters(id: string, from: number, most: number): Promise<DeadLetter[]>;
  /** Whether each of `count` pictures from `from` on is settled. */
  settled(id: string, from: number, count: number): Promise<boolean[]>;
  /** Those results of a part that are in the queue, by index. */
  part(id: string, part: number): Promise<Map<number, PictureResult>>;
  cancel(id: string): Promise<boolean>;
  /** Gives how many pictures are read again, or why none is. */
  retry(id: string): Promise<number | 'not ended' | 'nothing to do' | 'queue full'>;
  figures(): Promise<QueueFigures>;
  /** Memory that Redis uses, in bytes. */
  memoryBytes(): Promise<number>;
  close(): void;
}

export interface JobStoreOptions {
  readonly redis: Redis;
  /** Most jobs that have not ended. */
  readonly maxJobs: number;
}

/** 128 random bits: an id that nobody guesses, in letters that BullMQ and file names take. */
const newId = (): string => randomBytes(16).toString('hex');

/** Sources that are sent to Redis in one command. */
const SOURCES_AT_A_TIME = 1000;

/** A list whose job never came about (the server ended between two commands) is forgotten. */
const ORPHAN_LIST_MS = 600_000;

const RETRY_ANSWERS = { '-1': 'not ended', '-2': 'nothing to do', '-3': 'queue full' } as const;

export function createJobStore({ redis, maxJobs }: JobStoreOptions): JobStore {
  const run = scriptsOn(redis);

  return {
    async create(spec, sources, { hash, stays }) {
      const id = newId();
      const keys = jobKeys(id);
      for (let at = 0; at < sources.length; at += SOURCES_AT_A_TIME) {
        await redis
          .multi()
          .rpush(keys.sources, ...sources.slice(at, at + SOURCES_AT_A_TIME))
          .pexpire(keys.sources, ORPHAN_LIST_MS)
          .exec();
      }
      const answer = String(
        await run(
          'create',
          [keys.job, KEYS.active, sameKey(hash), keys.sources, KEYS.totals],
          [id, Date.now(), maxJobs, stays ? 1 : 0, 'spec', JSON.stringify(spec)],
        ),
      );
      // Also the answer to our own command, sent again because its first answer was lost.
      if (answer === '' || answer === id) return { id, isNew: true };
      await redis.del(keys.sources);
      return answer === 'FULL' ? undefined : { id: answer, isNew: false };
    },

    async status(id) {
      return toJobStatus(id, await redis.hgetall(jobKeys(id).job), Date.now());
    },

    async deadLetters(id, from, most) {
      const keys = jobKeys(id);
      const indexes = await redis.zrangebyscore(keys.deadOrder, from, '+inf', 'LIMIT', 0, most);
      if (indexes.length === 0) return [];
      const letters = await redis.hmget(keys.dead, ...indexes);
      // A retry in between has taken what is not there.
      return letters.filter((letter) => letter !== null).map((letter) => JSON.parse(letter) as DeadLetter);
    },

    async settled(id, from, count) {
      const bits = redis.pipeline();
      for (let index = from; index < from + count; index += 1) bits.getbit(jobKeys(id).settled, index);
      return ((await bits.exec()) ?? []).map(([error, bit]) => {
        if (error !== null) throw error;
        return bit === 1;
      });
    },

    async part(id, part) {
      const stored = await redis.hgetallBuffer(partKey(id, part));
      return new Map(Object.entries(stored).map(([index, result]) => [Number(index), decodeResult(result)]));
    },

    async cancel(id) {
      const keys = jobKeys(id);
      return (await run('cancel', [keys.job, keys.out, keys.again, keys.sources, keys.begun], [])) === 1;
    },

    async retry(id) {
      const { job, again, settled, dead, deadOrder, parts, sources } = jobKeys(id);
      const answer = await run(
        'retry',
        [job, KEYS.active, again, settled, dead, deadOrder, parts, sources],
        [id, PART_SIZE, maxJobs],
      );
      return RETRY_ANSWERS[String(answer) as keyof typeof RETRY_ANSWERS] ?? Number(answer);
    },

    async figures() {
      const [ids, workers, totals] = await Promise.all([
        redis.zrange(KEYS.active, '0', '-1'),
        redis.hvals(KEYS.workers),
        redis.hgetall(KEYS.totals),
      ]);
      const waiting = await Promise.all(ids.map((id) => redis.hlen(jobKeys(id).out)));
      const now = Date.now();
      return {
        active: ids.length,
        waiting: waiting.reduce((sum, count) => sum + count, 0),
        workers: workers.filter((worker) => Number(worker.split(':')[1]) > now).length,
        totals: Object.fromEntries(Object.entries(totals).map(([name, count]) => [name, Number(count)])),
      };
    },

    async memoryBytes() {
      return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1] ?? 0);
    },

    close: () => redis.disconnect(),
  };
}
