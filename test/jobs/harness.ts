import type { Test } from 'tap';
import type { JobSpec } from '../../src/jobs/job.ts';
import { createJobStore, type JobStore } from '../../src/jobs/job-store.ts';
import { createJobs, type JobRequest, type Jobs } from '../../src/jobs/jobs.ts';
import { connectRedis, type Redis } from '../../src/jobs/redis.ts';
import { startJobWorker, type JobWorker, type WorkerOptions } from '../../src/jobs/start-worker.ts';
import { createHttpPoster } from '../../src/source/http-post.ts';
import { IDLE_STATUS } from '../engine/idle-status.ts';
import { waitFor } from '../robustness/client.ts';
import { inMemoryS3, type InMemoryS3 } from './in-memory-s3.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

/** Jobs on a real Redis, read by workers in this process that only pretend to read. */
export interface Harness {
  readonly server: RedisServer;
  readonly redis: Redis;
  readonly store: JobStore;
  readonly jobs: Jobs;
  readonly s3: InMemoryS3;
  /** Warnings of the workers. */
  readonly warnings: string[];
  /** Starts a worker; it is closed with the test. */
  work(options?: Partial<WorkerOptions>): Promise<JobWorker>;
  /** Gives a job and its id. */
  give(request: Partial<JobRequest>): Promise<string>;
  /** Waits until a job has ended. */
  end(id: string): ReturnType<Jobs['status']>;
  /** Waits until something is so. */
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
}

export const OPTIONS: JobSpec['options'] = {
  format: 'json',
  words: false,
  characters: false,
  orientation: 'auto',
  textLayer: 'auto',
  pages: { first: 1, last: undefined },
};

/** The whole of a test's patience for one thing. */
const PATIENCE_MS = 30_000;

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export async function startHarness(
  t: Test,
  limits: { maxJobs?: number; maxMemoryBytes?: number } = {},
): Promise<Harness> {
  const server = await startRedis();
  const redis = connectRedis(server.url, 'answer', () => undefined);
  const { maxJobs = 100, maxMemoryBytes = 1e9 } = limits;
  const store = createJobStore({ redis, maxJobs });
  const s3 = inMemoryS3();
  const poster = createHttpPoster({ allow: ['127.0.0.1'], urlPorts: [80, 443], timeoutMs: 2000 });
  const shared = { store, s3, poster, maxJobs, maxMemoryBytes };
  const jobs = createJobs({ ...shared, outputBuckets: ['texts'], sourceBuckets: ['scans', 'texts'], webhooks: true });
  const workers: JobWorker[] = [];
  const warnings: string[] = [];
  t.teardown(async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    redis.disconnect();
    await server.remove();
  });

  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    if ((await waitFor(holds, PATIENCE_MS)) === undefined) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
  };
  return {
    server,
    redis,
    store,
    jobs,
    s3,
    warnings,
    async work(options = {}) {
      const worker = await startJobWorker({
        redisUrl: server.url,
        engine: { status: () => IDLE_STATUS },
        readPicture: async ({ source }) => ({ pages: 1, lines: 1, document: { text: source } }),
        s3,
        poster,
        webhookSecret: SECRET,
        concurrency: 4,
        ahead: 1000,
        tries: 2,
        maxFailed: 1000,
        maxKept: 100_000,
        keepMs: 60_000,
        log: {
          info: () => undefined,
          warn: (_fields, message) => warnings.push(message),
          error: (_fields, message) => warnings.push(message),
        },
        ...options,
      });
      workers.push(worker);
      return worker;
    },
    async give(request) {
      const whole: JobRequest = { options: OPTIONS, priority: 'normal', ...request };
      return (await jobs.create(whole, { owner: '' })).status.id;
    },
    async end(id) {
      await until(`job ${id} ended`, async () => (await jobs.status(id, '')).finishedAt !== undefined);
      return jobs.status(id, '');
    },
    until,
  };
}

/** Addresses of `count` pictures. */
export const addresses = (count: number, name = 'p'): string[] =>
  Array.from({ length: count }, (_, i) => `https://example.com/${name}-${i}.png`);

/** All results of a job, page by page. */
export async function allResults(jobs: Jobs, id: string, most = 100) {
  const results = [];
  for (let from: number | undefined = 0; from !== undefined;) {
    const page = await jobs.results(id, '', from, most);
    results.push(...page.results);
    if (page.next === from) throw new Error('the job has not ended');
    from = page.next;
  }
  return results;
}
