/**
 * Writes the figures of `npm run bench -- all` into docs/performance.md, between its markers, and copies the plots:
 *
 *   node scripts/performance-docs.ts [out/bench]
 */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PeersSummary } from '../bench/peers.ts';

const folder = process.argv[2] ?? 'out/bench';
const document = new URL('../docs/performance.md', import.meta.url);
const images = new URL('../docs/images/', import.meta.url);
/** File -> what it shows. */
const PLOTS = {
  'peers.svg': 'Seconds a page, this service beside RapidOCR',
  'growth-megapixels.svg': 'Time of a page by its megapixels',
  'growth-lines.svg': 'Time of a page by its lines',
};

interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cpus: number;
  readonly memoryMb: number;
  readonly loadAverage: number;
  readonly versions: Readonly<Record<string, string>>;
}
interface Peers extends Machine {
  readonly pages: number;
  readonly lines: number;
  readonly rounds: readonly unknown[];
  readonly peerVersions: Readonly<Record<string, string>>;
  readonly usdPerHour: number;
  readonly summary: PeersSummary;
}
interface Memory {
  readonly totals: readonly Readonly<Record<string, number | string>>[];
}
interface Growth {
  readonly fits: Readonly<Record<'megapixels' | 'lines', { slope: number; r2: number; worstExcess: number }>>;
}
interface Overhead {
  readonly ratio: number;
  readonly cpuRatio: number;
  readonly rounds: readonly Readonly<Record<string, number>>[];
}

const load = async <T>(name: string): Promise<T> =>
  JSON.parse(await readFile(path.join(folder, `${name}.json`), 'utf8')) as T;
const fixed = (value: number, digits = 2): string => value.toFixed(digits);
const table = (rows: readonly (readonly string[])[]): string =>
  rows
    .flatMap((row, i) => [`| ${row.join(' | ')} |`, ...(i === 0 ? [`|${' --- |'.repeat(row.length)}`] : [])])
    .join('\n');

const [peers, memory, growth, overhead] = await Promise.all([
  load<Peers>('peers'),
  load<Memory>('memory'),
  load<Growth>('growth'),
  load<Overhead>('overhead'),
]);

function machineText(): string {
  const { date, processor, cpus, memoryMb, loadAverage, versions, peerVersions } = peers;
  const list = (of: Readonly<Record<string, string>>): string =>
    Object.entries(of)
      .map(([name, version]) => `${name} ${version.replace(/^v/, '')}`)
      .join(', ');
  return (
    `${date.slice(0, 10)}, ${processor}, ${cpus} CPUs, ${Math.round(memoryMb / 1024)} GB; load average at the end ` +
    `${fixed(loadAverage, 1)}. ${list(versions)}. Peers: ${list(peerVersions)}. ${peers.pages} pages with ${peers.lines} lines, ` +
    `${peers.rounds.length} rounds; medians, ratios inside a round.`
  );
}

function resultRows(): string[][] {
  const { summary } = peers;
  const peer = (engine: string) => summary.peers.find((one) => one.engine === engine);
  const openvino = peer('openvino');
  const onnxruntime = peer('onnxruntime');
  const rounds = memory.totals.slice(1);
  const megabytes = (name: string): string => rounds.map((total) => String(total[name])).join(', ');
  const { latencyMs } = summary;
  return [
    ['', 'wanted', 'measured'],
    [
      'pages a second, two requests at a time, through HTTP',
      '2.5 x RapidOCR with OpenVINO, 4.5 x with onnxruntime',
      `${fixed(summary.pagesPerSecond)}: ${fixed(openvino?.timesAsFastConcurrent ?? NaN)} x and ${fixed(onnxruntime?.timesAsFastConcurrent ?? NaN)} x`,
    ],
    [
      'one page at a time',
      '1.6 x RapidOCR with OpenVINO',
      `${fixed(summary.secondsPerPage.oneAtATime)} s a page: ${fixed(openvino?.timesAsFastOneAtATime ?? NaN)} x`,
    ],
    ['four pictures of about 1 MB, one at a time', '0.6 s', `${fixed(summary.singleMs / 1000)} s`],
    [
      'lines exact, place apart',
      'not below the peers',
      `${fixed(100 * summary.exactLines, 1)} %; RapidOCR ${fixed(100 * (openvino?.exactLines ?? NaN), 1)} % and ${fixed(100 * (onnxruntime?.exactLines ?? NaN), 1)} %`,
    ],
    [
      'pages over their models alone, one core',
      '1.15',
      `${fixed(overhead.ratio)}; in CPU time ${fixed(overhead.cpuRatio)}`,
    ],
    [
      'memory of all processes after each round, 2 engine processes',
      '700 MB, flat',
      `${megabytes('proportional MB')} MB; pages that processes share counted in each: ${megabytes('resident MB')} MB`,
    ],
    ['start to ready', '2 s', `${fixed(summary.readyMs / 1000)} s`],
    [
      'US dollars for a million pages',
      String(summary.replacedUsdPerMillion),
      `${fixed(summary.usdPerMillionPages)}, at ${peers.usdPerHour} USD an hour for 2 CPUs`,
    ],
    [
      'slowest hundredth of the answers',
      '',
      `${fixed(latencyMs.oneAtATime.p99 / 1000)} s one at a time, ${fixed(latencyMs.concurrent.p99 / 1000)} s two, ${fixed(latencyMs.crowded.p99 / 1000)} s eight`,
    ],
    [
      'growth, megapixels and lines',
      'straight lines',
      `r² ${fixed(growth.fits.megapixels.r2, 3)} and ${fixed(growth.fits.lines.r2, 3)}; ${fixed(1000 * growth.fits.megapixels.slope, 0)} ms a megapixel, ${fixed(1000 * growth.fits.lines.slope, 1)} ms a line`,
    ],
    ...summary.peers.map((one) => [
      `RapidOCR, ${one.engine}${one.processes > 1 ? `, ${one.processes} processes` : ''}`,
      '',
      `${fixed(one.secondsPerPage)} s a page, ${fixed(one.peakMb, 0)} MB`,
    ]),
  ];
}

function stageRows(): string[][] {
  const [round = {}] = overhead.rounds;
  const total = round.pageMs ?? NaN;
  const share = (ms: number | undefined): string => `${fixed((100 * (ms ?? NaN)) / total, 1)} %`;
  const rest = total - (round.decodeMs ?? NaN) - (round.modelsInsideMs ?? NaN);
  return [
    ['stage', 'share of the time of a page'],
    ['decoding', share(round.decodeMs)],
    ['detection, its model included', share(round.detectMs)],
    ['recognition, its model included', share(round.recognizeMs)],
    ['inside of the two models', share(round.modelsInsideMs)],
    ['neither models nor decoding: resizing, boxes, line images, CTC decoding, order', share(rest)],
  ];
}

const blocks: Readonly<Record<string, string>> = {
  machine: machineText(),
  results: `${table(resultRows())}\n\n${Object.entries(PLOTS)
    .map(([file, text]) => `![${text}](images/${file})`)
    .join('\n')}`,
  stages: table(stageRows()),
};
let text = await readFile(document, 'utf8');
for (const [name, block] of Object.entries(blocks)) {
  const marked = new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- /${name} -->)`);
  if (!marked.test(text)) throw new Error(`docs/performance.md has no block ${name}`);
  text = text.replace(marked, (_, start: string, end: string) => `${start}\n${block}\n${end}`);
}
await writeFile(document, text);
for (const plot of Object.keys(PLOTS)) await copyFile(path.join(folder, plot), new URL(plot, images));
