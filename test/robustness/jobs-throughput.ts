import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { JobView } from '../../src/jobs/job-view.ts';
import { startRedis } from '../jobs/redis-server.ts';
import { startGateway } from '../jobs/s3-gateway.ts';
import { startWorker } from '../jobs/worker-process.ts';
import { startService } from '../running-service.ts';
import { pause } from './client.ts';
import { processorSeconds } from './processes.ts';
import { percentile, Report } from './report.ts';
import { nameOf, writeSmallPictures } from './small-pictures.ts';

const LOOK_MS = 50;

interface Round {
  readonly seconds: number;
  /** Of the workers with their engine processes. */
  readonly cpuSeconds: number;
}

/** Runs `work` and says what it took. */
async function measured(workers: readonly ChildProcess[], work: () => Promise<void>): Promise<Round> {
  const [startedAt, cpuSeconds] = [performance.now(), processorSeconds(workers)];
  await work();
  return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: processorSeconds(workers) - cpuSeconds };
}

/** Reads everything through the queue. */
async function throughQueue(service: string, round: number): Promise<void> {
  const body = JSON.stringify({ prefix: 's3://scans/in/', output: `s3://texts/queue-${round}/` });
  const headers = { 'content-type': 'application/json' };
  const given = await fetch(`${service}/v1/jobs`, { method: 'POST', headers, body });
  const { id } = (await given.json()) as JobView;
  for (;;) {
    const job = (await (await fetch(`${service}/v1/jobs/${id}`)).json()) as JobView;
    if (job.counts.allFound && job.counts.waiting === 0) return;
    await pause(LOOK_MS);
  }
}

/**
 * `jobs-throughput [--pictures 400] [--workers 4] [--rounds 4]`: the same pictures from S3 into S3 by the same number of
 * workers, fed by the queue and fed directly, in turns, after a round of each to warm up. Needs `redis-server` and `versitygw`.
 */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pictures: { type: 'string', default: '400' },
      workers: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '4' },
    },
  });
  const [pictures, count, rounds] = [values.pictures, values.workers, values.rounds].map(Number);
  const report = new Report();
  const gateway = await startGateway();
  const redis = await startRedis();
  await writeSmallPictures(path.join(gateway.folder, 'scans', 'in'), pictures);
  mkdirSync(path.join(gateway.folder, 'texts'));
  const shared = { ...gateway.settings, OCR_ENGINE_PROCESSES: '1' };
  const queued = { ...shared, OCR_REDIS_URL: redis.url, OCR_JOBS_OUTPUT_BUCKETS: 'texts' };
  const service = await startService(queued);
  const workers = Array.from({ length: count }, () => startWorker(queued));
  const direct = Array.from({ length: count }, () =>
    fork(new URL('../jobs/direct-worker.ts', import.meta.url), { env: { ...process.env, ...shared } }),
  );
  await Promise.all([...workers.map(({ ready }) => ready), ...direct.map((child) => once(child, 'message'))]);

  const lists = direct.map((_, i) =>
    Array.from({ length: pictures }, (_, index) => index)
      .filter((index) => index % count === i)
      .map((index) => `s3://scans/in/${nameOf(index)}`),
  );
  const fedDirectly = async (): Promise<void> => {
    await Promise.all(
      direct.map((child, i) => {
        const done = once(child, 'message');
        child.send(lists[i] ?? []);
        return done;
      }),
    );
  };
  const ratios: { seconds: number; cpu: number }[] = [];
  const processes = workers.map((worker) => worker.process);
  const byQueue = (round: number): Promise<Round> => measured(processes, () => throughQueue(service.url, round));
  const directly = (): Promise<Round> => measured(direct, fedDirectly);
  // Workers get faster for some thousand pictures (V8 compiles what is hot): neither kind is always the one that comes later.
  await byQueue(0);
  await directly();
  for (let round = 1; round <= rounds; round += 1) {
    const directFirst = round % 2 === 0 ? await directly() : undefined;
    const queue = await byQueue(round);
    const plain = directFirst ?? (await directly());
    ratios.push({ seconds: plain.seconds / queue.seconds, cpu: queue.cpuSeconds / plain.cpuSeconds });
    report.note(
      `round ${round}: queue ${(pictures / queue.seconds).toFixed(1)} pictures a second (${((1000 * queue.cpuSeconds) / pictures).toFixed(0)} ms of processor each), directly ${(pictures / plain.seconds).toFixed(1)} (${((1000 * plain.cpuSeconds) / pictures).toFixed(0)} ms)`,
    );
  }
  const throughput = percentile(
    ratios.map(({ seconds }) => seconds),
    0.5,
  );
  const cpu = percentile(
    ratios.map((ratio) => ratio.cpu),
    0.5,
  );
  report.note(`processor time of the workers, queue to direct: ${cpu.toFixed(2)} (median of ${rounds} pairs)`);
  report.check(
    `throughput, queue to direct: ${throughput.toFixed(2)} (median of ${rounds} pairs; at least 0.9)`,
    throughput >= 0.9,
  );
  for (const child of direct) child.disconnect();
  await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
  await service.stop();
  await redis.remove();
  await gateway.remove();
  return report;
}
