import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { KEYS } from '../../src/jobs/keys.ts';
import type { PictureResult } from '../../src/jobs/job.ts';
import type { JobView } from '../../src/jobs/job-view.ts';
import { startRedis } from '../jobs/redis-server.ts';
import { startGateway } from '../jobs/s3-gateway.ts';
import { startWorker, type WorkerProcess } from '../jobs/worker-process.ts';
import { startService } from '../running-service.ts';
import { pause } from './client.ts';
import { Report, tally } from './report.ts';
import { nameOf, wordOf, writeSmallPictures } from './small-pictures.ts';

/** A job that stands still for so long will not go on. */
const STANDSTILL_MS = 120_000;
const LOOK_MS = 500;

/** Asks until Redis, and with it the service, is there again. */
async function statusOf(url: string): Promise<JobView | undefined> {
  const response = await fetch(url).catch(() => undefined);
  const body = await response?.json().catch(() => undefined);
  return response?.ok === true ? (body as JobView) : undefined;
}

/** Every file below a folder, as paths from there. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

/** All results, page by page, as a client gets them. */
async function followResults(service: string, id: string): Promise<PictureResult[]> {
  const all: PictureResult[] = [];
  let next: string | null = `/v1/jobs/${id}/results?limit=500`;
  while (next !== null) {
    const page = (await (await fetch(`${service}${next}`)).json()) as { results: PictureResult[]; next: string | null };
    all.push(...page.results);
    next = page.next;
  }
  return all;
}

/** Every picture has its text in S3, and nothing else is there. */
function checkOutputs(report: Report, folder: string, pictures: number): void {
  const outputs = filesBelow(folder).filter((file) => !file.startsWith('_jobs/'));
  const expected = new Set(Array.from({ length: pictures }, (_, i) => `${nameOf(i)}.json`));
  const strangers = outputs.filter((file) => !expected.has(file)).length;
  report.check(
    `results in S3: ${outputs.length}, of no picture ${strangers}, lost ${expected.size - (outputs.length - strangers)}`,
    outputs.length === pictures && strangers === 0,
  );
  const wrong = Array.from({ length: pictures }, (_, i) => i).filter((i) => {
    const file = path.join(folder, `${nameOf(i)}.json`);
    return (JSON.parse(readFileSync(file, 'utf8')) as { text: string }).text.trim() !== wordOf(i);
  });
  report.check(`results with another text than their picture has: ${wrong.length}`, wrong.length === 0);
}

/** The index has each picture once. */
function checkIndex(report: Report, folder: string, pictures: number): void {
  const lines = readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .flatMap((file) => readFileSync(path.join(folder, file), 'utf8').trimEnd().split('\n'))
    .map((line) => JSON.parse(line) as PictureResult);
  const sources = new Set(lines.map(({ source }) => source));
  report.check(
    `lines of the index: ${lines.length}, of different pictures ${sources.size}, ${tally(lines.map((line) => line.status))}`,
    lines.length === pictures && sources.size === pictures && lines.every((line) => line.status === 'done'),
  );
}

/** Redis has counted each picture once, however often it was begun. */
async function checkTotals(report: Report, redisUrl: string, pictures: number): Promise<void> {
  const client = new Redis(redisUrl);
  const totals = await client.hgetall(KEYS.totals);
  client.disconnect();
  report.note(
    `pictures begun ${totals.pictures_begun}, counted as done ${totals.pictures_done}: ${Number(totals.pictures_begun) - pictures} were begun again after a kill or a restart`,
  );
  report.check(`counted as done: ${totals.pictures_done}`, Number(totals.pictures_done) === pictures);
}

/**
 * `jobs [--pictures 10000] [--workers 4] [--kill-every 5]`: many small pictures from S3 into S3, through workers of which one is
 * killed (-9) every so many seconds, with Redis ended twice on the way (once killed, once told to). Needs `redis-server` and
 * `versitygw`.
 */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pictures: { type: 'string', default: '10000' },
      workers: { type: 'string', default: '4' },
      'kill-every': { type: 'string', default: '5' },
    },
  });
  const pictures = Number(values.pictures);
  const report = new Report();
  const gateway = await startGateway();
  const redis = await startRedis();
  await writeSmallPictures(path.join(gateway.folder, 'scans', 'in'), pictures);
  mkdirSync(path.join(gateway.folder, 'texts'));
  const settings = {
    ...gateway.settings,
    OCR_REDIS_URL: redis.url,
    OCR_JOBS_OUTPUT_BUCKETS: 'texts',
    OCR_ENGINE_PROCESSES: '1',
  };
  const service = await startService(settings);
  const workers: WorkerProcess[] = Array.from({ length: Number(values.workers) }, () => startWorker(settings));
  await Promise.all(workers.map(({ ready }) => ready));

  const startedAt = Date.now();
  const given = await fetch(`${service.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prefix: 's3://scans/in/', output: 's3://texts/out/' }),
  });
  const { id } = (await given.json()) as JobView;
  report.check(`the job is taken: ${given.status}`, given.status === 202);

  let kills = 0;
  const killer = setInterval(
    () => {
      const victim = Math.floor(Math.random() * workers.length);
      void workers[victim].end('SIGKILL');
      workers[victim] = startWorker(settings);
      kills += 1;
    },
    Number(values['kill-every']) * 1000,
  );

  const restarts: ('SIGKILL' | 'SIGTERM')[] = ['SIGKILL', 'SIGTERM'];
  let status: JobView | undefined;
  let settled = 0;
  let movedAt = Date.now();
  while (status?.finishedAt === null || status === undefined) {
    await pause(LOOK_MS);
    status = (await statusOf(`${service.url}/v1/jobs/${id}`)) ?? status;
    const now = (status?.counts.done ?? 0) + (status?.counts.failed ?? 0);
    if (now !== settled) movedAt = Date.now();
    settled = now;
    // At a third and at two thirds of the way.
    const signal = restarts[0];
    if (signal !== undefined && now > (pictures * (3 - restarts.length)) / 3) {
      restarts.shift();
      await redis.restart(signal);
    }
    if (Date.now() - movedAt > STANDSTILL_MS) break;
  }
  clearInterval(killer);
  const seconds = (Date.now() - startedAt) / 1000;
  report.note(
    `${pictures} pictures, ${workers.length} workers, ${kills} of them killed, Redis ended ${2 - restarts.length} times: ${seconds.toFixed(0)} s, ${(settled / seconds).toFixed(1)} pictures a second`,
  );
  report.check(`the job ended as ${status?.state}: ${JSON.stringify(status?.counts)}`, status?.state === 'done');
  report.check('Redis was ended twice on the way', restarts.length === 0);

  const results = path.join(gateway.folder, 'texts', 'out');
  checkOutputs(report, results, pictures);
  checkIndex(report, path.join(results, '_jobs', id), pictures);
  const paged = await followResults(service.url, id);
  report.check(
    `results page by page: ${paged.length}, in order and each once`,
    paged.length === pictures && paged.every((result, i) => result.index === i),
  );
  await checkTotals(report, redis.url, pictures);

  // The last ones may still be loading their models.
  await Promise.all(workers.map(({ ready }) => ready));
  const codes = await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  report.check(
    `the workers end with ${codes.join(', ')}`,
    codes.every((code) => code === 0),
  );
  report.check('the server ends with 0', (await service.stop()) === 0);
  await redis.remove();
  await gateway.remove();
  return report;
}
