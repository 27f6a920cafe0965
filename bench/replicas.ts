import { readFileSync } from 'node:fs';
import { findNginx, startNginx, type RunningNginx } from '../test/running-nginx.ts';
import { pidOf, processorSeconds } from '../test/robustness/processes.ts';
import { startService, type RunningService } from '../test/running-service.ts';
import type { LabelledImage } from './labelled-set.ts';
import { memoryOf, processTree } from './memory.ts';
import { PATIENT, postSet } from './post-set.ts';
import { checkReplicaFaults } from './replica-faults.ts';
import { log, median, percentile, report, rounded } from './report.ts';

/** Behind nginx, with one engine process each. */
const MOST_REPLICAS = 3;
/** Enough that every replica always has a page at work and one that waits. */
const CLIENTS = 2 * MOST_REPLICAS;
/** Of a set when there is none: the sample picture so often. */
const SAMPLE_PAGES = 60;

interface Timed {
  readonly pagesPerSecond: number;
  /** Processor time of nginx, server and engine processes together; what a busy machine can be asked for. */
  readonly cpuSecondsPerPage: number;
  readonly milliseconds: readonly number[];
}

/** Name of a way to read the set -> what it took. */
type Round = Readonly<Record<string, Timed>>;

/** What the simulation of docs/scaling.md is made from. */
export interface ReplicaFigures {
  readonly pages: number;
  readonly meanRequestBytes: number;
  readonly rounds: readonly Round[];
  /** Median over the rounds, and of the ratios to one replica, which are taken inside a round. */
  readonly summary: Readonly<
    Record<
      string,
      {
        pagesPerSecond: number;
        timesOneReplica: number;
        cpuSecondsPerPage: number;
        p50Ms: number;
        p95Ms: number;
      }
    >
  >;
  /** Of each page alone in one replica with one engine process: the time that a simulated page takes. */
  readonly serviceMs: readonly number[];
  readonly nginxCpuMsPerRequest: number;
  /** Of each replica after all rounds: its server process and its engine process. */
  readonly replicaMemory: readonly { residentMb: number; proportionalMb: number }[];
}

/** The sample picture again and again, where no set is at hand. */
export function samplePages(): LabelledImage[] {
  const bytes = readFileSync(new URL('../docs/images/sample.png', import.meta.url));
  return Array.from({ length: SAMPLE_PAGES }, (_, i) => ({ file: `sample-${i}`, bytes, texts: [] }));
}

/**
 * nginx in front of 1, 2 and 3 replicas with one engine process each: throughput in turns on the same set, then what is lost
 * when replicas are killed and restarted.
 *
 * @param countsOnly leaves out the throughput, for a machine whose times mean nothing
 * @throws {Error} nginx is not here, or what was timed did not answer 200
 */
export async function measureReplicas(
  set: readonly LabelledImage[],
  rounds: number,
  outDir: string,
  countsOnly: boolean,
): Promise<void> {
  findNginx();
  if (!countsOnly) await measureThroughput(set, rounds, outDir);
  const failed = await checkReplicaFaults(outDir, countsOnly);
  if (failed > 0) process.exitCode = 1;
}

async function measureThroughput(set: readonly LabelledImage[], rounds: number, outDir: string): Promise<void> {
  const replicas: RunningService[] = [];
  const proxies: RunningNginx[] = [];
  try {
    for (let i = 0; i < MOST_REPLICAS; i++)
      replicas.push(await startService({ ...PATIENT, OCR_ENGINE_PROCESSES: '1' }));
    const together = await startService({ ...PATIENT, OCR_ENGINE_PROCESSES: '2' });
    replicas.push(together);
    const hosts = replicas.slice(0, MOST_REPLICAS).map(({ url }) => new URL(url).host);
    for (let n = 1; n <= MOST_REPLICAS; n++) proxies.push(await startNginx(hosts.slice(0, n), { change: patient }));
    const ways: readonly (readonly [name: string, url: string])[] = [
      ...proxies.map(({ url }, i) => [`nginx, ${i + 1} x 1 engine process`, url] as const),
      ['direct, 1 x 1 engine process', replicas[0].url],
      ['direct, 1 x 2 engine processes', together.url],
    ];
    const measured: Record<string, Timed>[] = [];
    const nginxSeconds = secondsOf(proxies);
    // Round 0 compiles the code and grows the memory, and is not counted.
    for (let round = 0; round <= rounds; round++) {
      const times: Record<string, Timed> = {};
      for (const [name, url] of ways.map((_, i) => ways[(i + round) % ways.length])) {
        const before = secondsOf([...proxies, ...replicas]);
        const { seconds, milliseconds } = await postSet(url, set, CLIENTS);
        times[name] = {
          pagesPerSecond: set.length / seconds,
          cpuSecondsPerPage: (secondsOf([...proxies, ...replicas]) - before) / set.length,
          milliseconds: Object.values(milliseconds),
        };
        log(`replicas: round ${round} of ${rounds}: ${name}: ${rounded(set.length / seconds)} pages/s`);
      }
      if (round > 0) measured.push(times);
    }
    const requests = (rounds + 1) * MOST_REPLICAS * set.length;
    const nginxCpuMsPerRequest = (1000 * (secondsOf(proxies) - nginxSeconds)) / requests;
    const alone = await postSet(replicas[0].url, set, 1);
    const figures: ReplicaFigures = {
      pages: set.length,
      meanRequestBytes: Math.round(set.reduce((sum, { bytes }) => sum + (bytes.length * 4) / 3, 0) / set.length),
      rounds: measured,
      summary: summarize(measured),
      serviceMs: Object.values(alone.milliseconds).map((ms) => rounded(ms, 1)),
      nginxCpuMsPerRequest: rounded(nginxCpuMsPerRequest, 3),
      replicaMemory: replicas.slice(0, MOST_REPLICAS).map(memoryOfReplica),
    };
    await report(outDir, 'replicas', { ...figures }, rowsOf(figures));
  } finally {
    await Promise.all([...proxies, ...replicas].map((one) => one.stop()));
  }
}

/** As the services are: on a busy machine figures become worse instead of ending the run. */
const patient = (config: string): string =>
  config
    .replace(/proxy_read_timeout \d+s/, 'proxy_read_timeout 300s')
    .replace(/proxy_send_timeout \d+s/, 'proxy_send_timeout 300s');

/** Processor time of these and their children so far. */
const secondsOf = (all: readonly (RunningNginx | RunningService)[]): number =>
  processorSeconds(all.map(({ process }) => process));

function memoryOfReplica({ process }: RunningService): ReplicaFigures['replicaMemory'][number] {
  const all = processTree(pidOf(process)).map(memoryOf);
  return {
    residentMb: rounded(
      all.reduce((sum, { residentMb }) => sum + residentMb, 0),
      0,
    ),
    proportionalMb: rounded(
      all.reduce((sum, { proportionalMb }) => sum + proportionalMb, 0),
      0,
    ),
  };
}

/** The way that all others are compared with. */
const ONE_REPLICA = 'nginx, 1 x 1 engine process';

function summarize(rounds: readonly Round[]): ReplicaFigures['summary'] {
  // nginx before direct, few before many.
  const names = Object.keys(rounds[0] ?? {}).toSorted((a, b) => b[0].localeCompare(a[0]) || a.localeCompare(b));
  const rate = (round: Round, name: string): number => round[name]?.pagesPerSecond ?? NaN;
  return Object.fromEntries(
    names.map((name) => {
      const all = rounds.flatMap((round) => round[name]?.milliseconds ?? []);
      const summary = {
        pagesPerSecond: median(rounds.map((round) => rate(round, name))),
        timesOneReplica: median(rounds.map((round) => rate(round, name) / rate(round, ONE_REPLICA))),
        cpuSecondsPerPage: median(rounds.map((round) => round[name]?.cpuSecondsPerPage ?? NaN)),
        p50Ms: percentile(all, 0.5),
        p95Ms: percentile(all, 0.95),
      };
      return [name, summary];
    }),
  );
}

function rowsOf({ summary, rounds }: ReplicaFigures): Record<string, string | number>[] {
  return Object.entries(summary).map(
    ([name, { pagesPerSecond, timesOneReplica, cpuSecondsPerPage, p50Ms, p95Ms }]) => ({
      [`${CLIENTS} at a time`]: name,
      'pages/s': rounded(pagesPerSecond),
      'of one replica': `x ${rounded(timesOneReplica)}`,
      'each round': rounds
        .map((round) => rounded((round[name]?.pagesPerSecond ?? NaN) / (round[ONE_REPLICA]?.pagesPerSecond ?? NaN)))
        .join(', '),
      'processor time a page': `${rounded(cpuSecondsPerPage, 3)} s`,
      'answer within, median and 95 of 100': `${rounded(p50Ms / 1000)} s, ${rounded(p95Ms / 1000)} s`,
    }),
  );
}
