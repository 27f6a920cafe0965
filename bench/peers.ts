import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startService, type RunningService } from '../test/running-service.ts';
import { exactLines, type LabelledImage, type Predictions } from './labelled-set.ts';
import { barChart } from './plot.ts';
import { PATIENT, postSet } from './post-set.ts';
import { log, median, percentile, report, rounded } from './report.ts';

export interface PeerOptions {
  /** Labels file, for the peers' script. */
  readonly labels: string;
  /** Python that has the peers' packages. */
  readonly python: string;
  readonly script: string;
  /** Engines of RapidOCR, as its script names them. */
  readonly engines: readonly string[];
  /** Beginnings of the names of the pictures that are also timed one at a time. */
  readonly single: readonly string[];
  readonly usdPerHour: number;
}

/** One timed run over the set. */
interface Measured {
  readonly seconds: number;
  readonly exactLines: number;
}

type MeasuredPeer = Measured & { readonly peakMb: number };

interface Timed extends Measured {
  /** Of each answer. */
  readonly milliseconds: readonly number[];
}

interface Round {
  readonly readyMs: number;
  /** Through HTTP, two requests at a time, one, and more than there are engine processes. */
  readonly concurrent: Timed;
  readonly oneAtATime: Timed;
  readonly crowded: Timed;
  /** Milliseconds of the pictures posted alone, several times each. */
  readonly single: Readonly<Record<string, readonly number[]>>;
  /** Library calls alone, without starting Python or loading models, all cores. */
  readonly peers: Readonly<Record<string, MeasuredPeer>>;
}

const CONCURRENCY = 2;
const CROWD = 8;
const SINGLE_TIMES = 3;
/** Below this share of exact lines something else than reading was timed; the embedded pack reads 0.96 of the set. */
const LEAST_EXACT = 0.9;
/** The API that this service replaces, US dollars for a million calls of one second with 4096 MB. */
const REPLACED_USD_PER_MILLION = 76.35;

/**
 * How each engine reads a set fastest on two cores, measured on the development set: onnxruntime as two processes with one
 * thread each (115 s; one with two threads 132 s), OpenVINO as one process with two threads (65 s; two with one 98 s).
 */
const PROCESSES: Readonly<Record<string, number>> = { onnxruntime: 2, openvino: 1 };

/**
 * Times the service through HTTP and RapidOCR as a library on the same pictures, in turns.
 *
 * @throws {Error} an answer other than 200, answers that differ between rounds or concurrencies, or too few right ones
 */
export async function measurePeers(
  set: readonly LabelledImage[],
  rounds: number,
  outDir: string,
  options: PeerOptions,
): Promise<void> {
  mkdirSync(outDir, { recursive: true });
  const measured: Round[] = [];
  const answers = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const ours = await timeService(set, options.single, answers);
    if (answers.size > 1) throw new Error('the service answered differently between rounds or concurrencies');
    if (ours.concurrent.exactLines < LEAST_EXACT)
      throw new Error(`only ${ours.concurrent.exactLines} of the lines right`);
    // Each engine comes first, second and so on once, so that a drift of the machine hits all alike.
    const order = options.engines.map((_, i) => options.engines[(i + round) % options.engines.length] ?? '');
    const peers: Record<string, MeasuredPeer> = {};
    for (const engine of order) {
      peers[engine] = await timePeer(engine, set, outDir, options);
      log(`peers: round ${round + 1} of ${rounds}: RapidOCR ${engine} ${rounded(peers[engine].seconds)} s`);
    }
    measured.push({ ...ours, peers });
  }
  drawBars(measured, set.length, outDir, options.engines);
  await report(
    outDir,
    'peers',
    {
      pages: set.length,
      lines: set.reduce((sum, { texts }) => sum + texts.length, 0),
      peerVersions: options.engines.length === 0 ? {} : versionsOfPeers(options.python),
      usdPerHour: options.usdPerHour,
      summary: summary(measured, set.length, options),
      rounds: measured,
    },
    table(measured, set.length, options),
  );
}

async function timeService(
  set: readonly LabelledImage[],
  prefixes: readonly string[],
  answers: Set<string>,
): Promise<Omit<Round, 'peers'>> {
  const service: RunningService = await startService(PATIENT, { built: true });
  try {
    const measure = async (concurrency: number): Promise<Timed> => {
      const { seconds, predictions, milliseconds } = await postSet(service.url, set, concurrency);
      answers.add(JSON.stringify(set.map(({ file }) => predictions[file])));
      log(`peers: service, ${concurrency} at a time: ${rounded(seconds)} s`);
      return { seconds, exactLines: exactLines(set, predictions), milliseconds: Object.values(milliseconds) };
    };
    const concurrent = await measure(CONCURRENCY);
    const oneAtATime = await measure(1);
    const crowded = await measure(CROWD);
    const single: Record<string, number[]> = {};
    for (const image of set.filter(({ file }) => prefixes.some((prefix) => file.startsWith(prefix)))) {
      for (let i = 0; i < SINGLE_TIMES; i++) {
        const { milliseconds } = await postSet(service.url, [image], 1);
        (single[image.file] ??= []).push(milliseconds[image.file] ?? NaN);
      }
    }
    return { readyMs: service.readyMs, concurrent, oneAtATime, crowded, single };
  } finally {
    await service.stop();
  }
}

/** The set in as many processes at a time as the engine likes best; the slowest of them counts. */
async function timePeer(
  engine: string,
  set: readonly LabelledImage[],
  outDir: string,
  { labels, python, script }: PeerOptions,
): Promise<MeasuredPeer> {
  const processes = Math.min(PROCESSES[engine] ?? 1, set.length);
  const parts = await Promise.all(
    Array.from({ length: processes }, async (_, part) => {
      const images = set.filter((_, i) => i % processes === part);
      const out = path.join(outDir, `rapidocr-${engine}-${part}.json`);
      const names = path.join(outDir, `names-${part}.txt`);
      writeFileSync(names, images.map(({ file }) => file).join('\n'));
      const threads = processes > 1 ? ['--threads', '1'] : [];
      const args = [script, '--labels', labels, '--out', out, '--engine', engine, '--only', names, ...threads];
      const last = await lastLine(python, args);
      const result = JSON.parse(last) as { images: number; seconds: number; peak_rss_mib: number };
      if (result.images !== images.length)
        throw new Error(`RapidOCR read ${result.images} of ${images.length} pictures`);
      return { ...result, predictions: JSON.parse(readFileSync(out, 'utf8')) as Predictions };
    }),
  );
  return {
    seconds: Math.max(...parts.map(({ seconds }) => seconds)),
    exactLines: exactLines(set, Object.assign({}, ...parts.map(({ predictions }) => predictions)) as Predictions),
    peakMb: parts.reduce((sum, { peak_rss_mib }) => sum + peak_rss_mib, 0),
  };
}

/** Of what a program prints. */
async function lastLine(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}`);
  return printed.trim().split('\n').at(-1) ?? '';
}

function versionsOfPeers(python: string): unknown {
  const names = ['rapidocr', 'onnxruntime', 'openvino'];
  const code = `import json,importlib.metadata as m;print(json.dumps({n:m.version(n) for n in ${JSON.stringify(names)}}))`;
  return JSON.parse(execFileSync(python, ['-c', code], { encoding: 'utf8' }));
}

/** Medians over the rounds. Ratios are taken inside a round: the machine may have been slower in another. */
function summary(rounds: readonly Round[], pages: number, { engines, usdPerHour }: PeerOptions) {
  const of = (value: (round: Round) => number): number => median(rounds.map(value));
  const singles = Object.keys(rounds[0]?.single ?? {}).map((file) => of(({ single }) => median(single[file] ?? [])));
  const pagesPerSecond = pages / of(({ concurrent }) => concurrent.seconds);
  const latency = (run: 'concurrent' | 'oneAtATime' | 'crowded') => {
    const all = rounds.flatMap((round) => round[run].milliseconds);
    return { p50: percentile(all, 0.5), p95: percentile(all, 0.95), p99: percentile(all, 0.99) };
  };
  return {
    pagesPerSecond,
    secondsPerPage: {
      concurrent: 1 / pagesPerSecond,
      oneAtATime: of(({ oneAtATime }) => oneAtATime.seconds) / pages,
    },
    exactLines: of(({ concurrent }) => concurrent.exactLines),
    latencyMs: {
      oneAtATime: latency('oneAtATime'),
      concurrent: latency('concurrent'),
      crowded: latency('crowded'),
    },
    singleMs: singles.reduce((sum, ms) => sum + ms, 0) / singles.length,
    readyMs: of(({ readyMs }) => readyMs),
    usdPerMillionPages: ((usdPerHour / 3600) * 1e6) / pagesPerSecond,
    replacedUsdPerMillion: REPLACED_USD_PER_MILLION,
    peers: engines.map((engine) => {
      const peer = (round: Round): MeasuredPeer =>
        round.peers[engine] ?? { seconds: NaN, exactLines: NaN, peakMb: NaN };
      return {
        engine,
        processes: PROCESSES[engine] ?? 1,
        secondsPerPage: of((round) => peer(round).seconds) / pages,
        exactLines: of((round) => peer(round).exactLines),
        peakMb: of((round) => peer(round).peakMb),
        timesAsFastConcurrent: of((round) => peer(round).seconds / round.concurrent.seconds),
        timesAsFastOneAtATime: of((round) => peer(round).seconds / round.oneAtATime.seconds),
      };
    }),
  };
}

export type PeersSummary = ReturnType<typeof summary>;

function table(rounds: readonly Round[], pages: number, options: PeerOptions): Record<string, string | number>[] {
  const figures = summary(rounds, pages, options);
  const percent = (share: number): string => `${rounded(100 * share, 1)} %`;
  const { concurrent, oneAtATime } = figures.secondsPerPage;
  const { latencyMs } = figures;
  return [
    {
      what: `service, ${CONCURRENCY} at a time`,
      's / page': rounded(concurrent, 3),
      'lines exact': percent(figures.exactLines),
      note: `${rounded(figures.pagesPerSecond)} pages/s; ${rounded(figures.usdPerMillionPages)} USD a million pages at ${options.usdPerHour} USD/h (the replaced API: ${REPLACED_USD_PER_MILLION}); p99 ${rounded(latencyMs.concurrent.p99 / 1000)} s, of ${CROWD} at a time ${rounded(latencyMs.crowded.p99 / 1000)} s`,
    },
    {
      what: 'service, 1 at a time',
      's / page': rounded(oneAtATime, 3),
      'lines exact': percent(figures.exactLines),
      note: `p99 ${rounded(latencyMs.oneAtATime.p99 / 1000)} s; ready after ${rounded(figures.readyMs / 1000)} s`,
    },
    {
      what: 'service, single pictures',
      's / page': rounded(figures.singleMs / 1000, 3),
      'lines exact': '',
      note: `mean of the medians of ${Object.keys(rounds[0]?.single ?? {}).length} pictures`,
    },
    ...figures.peers.map((peer) => ({
      what: `RapidOCR, ${peer.engine}`,
      's / page': rounded(peer.secondsPerPage, 3),
      'lines exact': percent(peer.exactLines),
      note: `the service is ${rounded(peer.timesAsFastConcurrent)} x as fast ${CONCURRENCY} at a time, ${rounded(peer.timesAsFastOneAtATime)} x one at a time; peak ${rounded(peer.peakMb, 0)} MB`,
    })),
  ];
}

function drawBars(rounds: readonly Round[], pages: number, outDir: string, engines: readonly string[]): void {
  const bar = (name: string, value: (round: Round) => number) => {
    const values = rounds.map((round) => value(round) / pages);
    return { name, value: median(values), least: Math.min(...values), greatest: Math.max(...values) };
  };
  const bars = [
    bar(`this service, ${CONCURRENCY} at a time`, ({ concurrent }) => concurrent.seconds),
    bar('this service, 1 at a time', ({ oneAtATime }) => oneAtATime.seconds),
    ...engines.map((engine) => bar(`RapidOCR, ${engine}`, ({ peers }) => peers[engine]?.seconds ?? NaN)),
  ];
  const title = `Seconds a page on the same 2 cores, median of ${rounds.length} rounds`;
  writeFileSync(path.join(outDir, 'peers.svg'), barChart(title, 'seconds a page (line: least to greatest)', bars));
}
