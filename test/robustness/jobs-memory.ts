import { parseArgs } from 'node:util';
import { createJobStore } from '../../src/jobs/job-store.ts';
import { createJobs } from '../../src/jobs/jobs.ts';
import { connectRedis } from '../../src/jobs/redis.ts';
import { startJobWorker } from '../../src/jobs/start-worker.ts';
import { createHttpPoster } from '../../src/source/http-post.ts';
import type { S3Objects } from '../../src/source/s3-objects.ts';
import { IDLE_STATUS } from '../engine/idle-status.ts';
import { startRedis } from '../jobs/redis-server.ts';
import { pause } from './client.ts';
import { megabytes, Report } from './report.ts';

const LOOK_MS = 250;

/**
 * What Redis may need besides the bitmap of the settled pictures, in bytes: its own 1 MB, BullMQ's queues and events, the
 * tasks that are handed out, the parts of the index that are not whole yet.
 */
const MEMORY_LIMIT = 16_000_000;

/** Keys as an archive has them. */
const keyOf = (index: number): string =>
  `scans/2026/box-${String(Math.floor(index / 1000)).padStart(6, '0')}/page-${String(index).padStart(9, '0')}.jpg`;

/** A bucket of `count` keys that are made as they are listed; what is written is counted and let go. */
function endlessBucket(count: number) {
  const figures = { listings: 0, mostListed: 0, indexLines: 0, lastLine: '' };
  const s3: S3Objects = {
    async list(_bucket, _prefix, after, most) {
      const from = after === '' ? 0 : Number(/page-(\d+)/.exec(after)?.[1]) + 1;
      const keys = Array.from({ length: Math.min(most, count - from) }, (_, i) => keyOf(from + i));
      figures.listings += 1;
      figures.mostListed = Math.max(figures.mostListed, keys.length);
      return { keys, more: from + keys.length < count };
    },
    slice: () => Promise.reject(new Error('there is no manifest')),
    read: async () => undefined,
    async write(_bucket, key, body) {
      if (!key.endsWith('.jsonl')) return;
      figures.indexLines += body.toString().split('\n').length - 1;
    },
    close: async () => undefined,
  };
  return { s3, figures };
}

/**
 * `jobs-memory [--keys 1000000]`: a prefix of so many keys through the queue, with a simulated S3 listing and readings that
 * take no time, and the memory of Redis all the while. Needs `redis-server`.
 */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({ args: [...args], options: { keys: { type: 'string', default: '1000000' } } });
  const keys = Number(values.keys);
  const report = new Report();
  const server = await startRedis();
  const redis = connectRedis(server.url, 'work', () => undefined);
  const store = createJobStore({ redis, maxJobs: 10 });
  const poster = createHttpPoster({ allow: [], urlPorts: [443], timeoutMs: 1000 });
  const { s3, figures } = endlessBucket(keys);
  const limits = { maxJobs: 10, maxMemoryBytes: 1e9, outputBuckets: ['texts'], sourceBuckets: [], webhooks: false };
  const jobs = createJobs({ store, s3, poster, ...limits });
  const log = {
    info: () => undefined,
    warn: (fields: object, text: string) => report.note(`${text}: ${'err' in fields ? String(fields.err) : ''}`),
    error: () => undefined,
  };
  const worker = await startJobWorker({
    redisUrl: server.url,
    engine: { status: () => IDLE_STATUS },
    readPicture: async ({ source }) => ({ pages: 1, lines: 40, output: source.replace('s3://scans', 's3://texts') }),
    s3,
    poster,
    webhookSecret: '',
    // As 16 workers of 8 processes would have it.
    concurrency: 256,
    ahead: 4096,
    tries: 3,
    maxFailed: 1000,
    maxKept: 1000,
    keepMs: 60_000,
    log,
  });
  const empty = await store.memoryBytes();
  const startedAt = Date.now();
  const { status } = await jobs.create(
    {
      prefix: 's3://scans/scans/',
      output: 's3://texts/out/',
      priority: 'normal',
      options: {
        format: 'json',
        words: false,
        characters: false,
        orientation: 'auto',
        textLayer: 'auto',
        pages: { first: 1 },
      },
    },
    { owner: '' },
  );
  let most = 0;
  let waiting = 0;
  let told = 0;
  for (;;) {
    await pause(LOOK_MS);
    const now = await jobs.status(status.id, '');
    most = Math.max(most, await store.memoryBytes());
    waiting = Math.max(waiting, (await store.figures()).waiting);
    if (now.done >= told + keys / 10) {
      told = now.done;
      report.note(`${told} done, memory of Redis at most ${megabytes(most)}`);
    }
    if (now.finishedAt !== undefined) break;
  }
  const ended = await jobs.status(status.id, '');
  const seconds = (Date.now() - startedAt) / 1000;
  report.note(
    `${keys} keys in ${seconds.toFixed(0)} s, ${(keys / seconds).toFixed(0)} a second; ${figures.listings} listings`,
  );
  report.check(`the job is ${ended.state}: ${ended.done} done`, ended.state === 'done' && ended.done === keys);
  report.check(`lines of the index: ${figures.indexLines}`, figures.indexLines === keys);
  report.check(
    `most pictures handed out at a time: ${waiting} (at most 2048), listed at once: ${figures.mostListed} (at most 1000)`,
    waiting <= 2048 && figures.mostListed <= 1000,
  );
  const limit = MEMORY_LIMIT + keys / 8;
  report.check(
    `memory of Redis: ${megabytes(empty)} empty, ${megabytes(most)} at most (limit ${megabytes(limit)})`,
    most <= limit,
  );
  await worker.close();
  await jobs.close();
  await server.remove();
  return report;
}
