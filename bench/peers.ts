import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { startService, type RunningService } from '../test/running-service.ts';
import { exactLines, type LabelledImage, type Predictions } from './labelled-set.ts';
import { PATIENT, postSet } from './post-set.ts';
import { median, report, rounded } from './report.ts';

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

interface Round {
  readonly readyMs: number;
  /** Through HTTP, two requests at a time and one. */
  readonly concurrent: Measured;
  readonly oneAtATime: Measured;
  /** Milliseconds of the pictures posted alone, several times each. */
  readonly single: Readonly<Record<string, readonly number[]>>;
  /** Library calls alone, without starting Python or loading models, all cores. */
  readonly peers: Readonly<Record<string, Measured & { readonly peakMb: number }>>;
}

const CONCURRENCY = 2;
const SINGLE_TIMES = 3;
/** The API that this service replaces, US dollars for a million calls of one second with 4096 MB. */
const REPLACED_USD_PER_MILLION = 76.35;

/**
 * Times the service through HTTP and RapidOCR as a library on the same pictures, in turns.
 *
 * @throws {Error} an answer other than 200, or answers that differ between rounds or concurrencies
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
    // Each engine comes first, second and so on once, so that a drift of the machine hits all alike.
    const order = options.engines.map((_, i) => options.engines[(i + round) % options.engines.length] ?? '');
    const peers = Object.fromEntries(order.map((engine) => [engine, timePeer(engine, set, outDir, options)]));
    measured.push({ ...ours, peers });
    console.log(JSON.stringify(measured.at(-1)));
  }
  await report(
    outDir,
    'peers',
    { pages: set.length, rounds: measured, usdPerHour: options.usdPerHour },
    table(measured, set.length, options),
  );
}

async function timeService(
  set: readonly LabelledImage[],
  prefixes: readonly string[],
  answers: Set<string>,
): Promise<Omit<Round, 'peers'>> {
  const service: RunningService = await startService(PATIENT);
  try {
    const measure = async (concurrency: number): Promise<Measured> => {
      const { seconds, predictions } = await postSet(service.url, set, concurrency);
      answers.add(JSON.stringify(set.map(({ file }) => predictions[file])));
      return { seconds, exactLines: exactLines(set, predictions) };
    };
    const concurrent = await measure(CONCURRENCY);
    const oneAtATime = await measure(1);
    const single: Record<string, number[]> = {};
    for (const image of set.filter(({ file }) => prefixes.some((prefix) => file.startsWith(prefix)))) {
      for (let i = 0; i < SINGLE_TIMES; i++) {
        const { milliseconds } = await postSet(service.url, [image], 1);
        (single[image.file] ??= []).push(milliseconds[image.file] ?? NaN);
      }
    }
    return { readyMs: service.readyMs, concurrent, oneAtATime, single };
  } finally {
    await service.stop();
  }
}

function timePeer(
  engine: string,
  set: readonly LabelledImage[],
  outDir: string,
  { labels, python, script }: PeerOptions,
): Measured & { peakMb: number } {
  const out = path.join(outDir, `rapidocr-${engine}.json`);
  const names = path.join(outDir, 'names.txt');
  writeFileSync(names, set.map(({ file }) => file).join('\n'));
  const args = [script, '--labels', labels, '--out', out, '--engine', engine, '--only', names];
  const printed = execFileSync(python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const last = printed.trim().split('\n').at(-1) ?? '';
  const { images, seconds, peak_rss_mib } = JSON.parse(last) as {
    images: number;
    seconds: number;
    peak_rss_mib: number;
  };
  if (images !== set.length) throw new Error(`RapidOCR read ${images} of ${set.length} pictures`);
  const predictions = JSON.parse(readFileSync(out, 'utf8')) as Predictions;
  return { seconds, exactLines: exactLines(set, predictions), peakMb: peak_rss_mib };
}

function table(
  rounds: readonly Round[],
  pages: number,
  { engines, usdPerHour }: PeerOptions,
): Record<string, string | number>[] {
  const of = (value: (round: Round) => number): number => median(rounds.map(value));
  const percent = (share: number): string => `${rounded(100 * share, 1)} %`;
  const singles = Object.keys(rounds[0]?.single ?? {}).map((file) => of(({ single }) => median(single[file] ?? [])));
  const singleMean = singles.reduce((sum, ms) => sum + ms, 0) / singles.length;
  const pagesPerSecond = pages / of(({ concurrent }) => concurrent.seconds);
  const usdPerMillion = ((usdPerHour / 3600) * 1e6) / pagesPerSecond;
  const rows = [
    {
      what: `service, ${CONCURRENCY} at a time`,
      's / page': rounded(1 / pagesPerSecond, 3),
      'lines exact': percent(of(({ concurrent }) => concurrent.exactLines)),
      note: `${rounded(pagesPerSecond)} pages/s; ${rounded(usdPerMillion)} USD a million pages at ${usdPerHour} USD/h (the replaced API: ${REPLACED_USD_PER_MILLION})`,
    },
    {
      what: 'service, 1 at a time',
      's / page': rounded(of(({ oneAtATime }) => oneAtATime.seconds) / pages, 3),
      'lines exact': percent(of(({ oneAtATime }) => oneAtATime.exactLines)),
      note: `ready after ${rounded(of(({ readyMs }) => readyMs) / 1000)} s`,
    },
  ];
  if (singles.length > 0) {
    const note = `mean of the medians of ${singles.length} pictures`;
    rows.push({ what: 'service, single pictures', 's / page': rounded(singleMean / 1000, 3), 'lines exact': '', note });
  }
  for (const engine of engines) {
    const peer = (round: Round): Measured & { peakMb: number } =>
      round.peers[engine] ?? { seconds: NaN, exactLines: NaN, peakMb: NaN };
    // Ratios are taken inside a round: the machine may have been slower in another.
    const concurrent = of((round) => peer(round).seconds / round.concurrent.seconds);
    const oneAtATime = of((round) => peer(round).seconds / round.oneAtATime.seconds);
    rows.push({
      what: `RapidOCR, ${engine}`,
      's / page': rounded(of((round) => peer(round).seconds) / pages, 3),
      'lines exact': percent(of((round) => peer(round).exactLines)),
      note: `the service is ${rounded(concurrent)} x as fast ${CONCURRENCY} at a time, ${rounded(oneAtATime)} x one at a time; peak ${rounded(
        of((round) => peer(round).peakMb),
        0,
      )} MB`,
    });
  }
  return rows;
}
