/**
 * Writes the figures of docs/scaling.md, between its markers, and its plot, from docs/scaling.json:
 *
 *   node scripts/scaling-docs.ts [out/bench]
 *
 * With a folder of `npm run bench -- all` and `-- replicas` it first takes what was measured from there into docs/scaling.json.
 * Assumptions and prices in that file are for the reader to change. The simulation takes some minutes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { PeersSummary } from '../bench/peers.ts';
import { sustainedRate, type Fleet } from '../bench/fleet-simulation.ts';
import { lineChart } from '../bench/plot.ts';
import type { ReplicaFigures } from '../bench/replicas.ts';

interface Machine {
  readonly date: string;
  readonly processor: string;
  readonly cpus: number;
  readonly loadAverage: number;
}
type Row = Readonly<Record<string, string | number>>;

export interface ScalingInputs {
  readonly measured: {
    /** `npm run bench -- all`: pages a second of one CPU, and the time of each page in an engine process. */
    readonly pages: Machine & { readonly pagesPerSecondPerCpu: number; readonly serviceSeconds: readonly number[] };
    /** `npm run bench -- replicas`. */
    readonly replicas: Machine & Omit<ReplicaFigures, 'rounds' | 'serviceMs'> & { readonly rounds: number };
    readonly faults: Machine & { readonly rows: readonly Row[] };
  };
  readonly assumptions: {
    readonly cpus: readonly number[];
    readonly processesPerReplica: number;
    readonly queueLength: number;
    readonly cpusPerBalancer: number;
    readonly slowShare: number;
    readonly slowSpeed: number;
    readonly p99Seconds: number;
    readonly refused: number;
    readonly simulatedSeconds: number;
  };
  readonly cost: {
    /** US dollars for a million pages of what this service replaces. */
    readonly replaced: { readonly name: string; readonly usdPerMillionPages: number; readonly source: string };
    /** Share of the day that a fleet sized for its peak works. */
    readonly use: number;
    readonly machines: readonly {
      readonly name: string;
      readonly cpus: number;
      readonly usdPerHour: number;
      /** Pages a second of one of its CPUs over those of a CPU that was measured. */
      readonly speed: number;
      readonly source: string;
    }[];
  };
}

const INPUTS = new URL('../docs/scaling.json', import.meta.url);
const DOCUMENT = new URL('../docs/scaling.md', import.meta.url);
const PLOT = new URL('../docs/images/fleet.svg', import.meta.url);

const fixed = (value: number, digits = 2): string => value.toFixed(digits);
const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');
const table = (rows: readonly (readonly string[])[]): string =>
  rows
    .flatMap((row, i) => [`| ${row.join(' | ')} |`, ...(i === 0 ? [`|${' --- |'.repeat(row.length)}`] : [])])
    .join('\n');
const machineText = ({ date, processor, cpus, loadAverage }: Machine): string =>
  `${date.slice(0, 10)}, ${processor}, ${cpus} CPUs, load average at the end ${fixed(loadAverage, 1)}`;

/** The bench keeps every CPU busy and one request waiting for each; with more than that others were at work, too. */
const BUSY_PER_CPU = 2;

/** What figures of a machine that others used as well are good for. */
const busyText = ({ cpus, loadAverage }: Machine): string =>
  loadAverage <= BUSY_PER_CPU * cpus
    ? ''
    : '**Others used this machine as well**, so pages a second, ratios and times here say nothing about replicas on one of their ' +
      'own. What can be compared is the processor time a page: throughput follows the CPUs as far as that stays the same.';

/** How many CPUs so many pages a day need, spread evenly and with a peak of four times the mean. */
function sizingBlock({ measured }: ScalingInputs): string {
  const perCpu = measured.pages.pagesPerSecondPerCpu;
  const share = 0.8;
  const rows = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000].map((pages) => {
    const mean = pages / 86_400;
    const cpus = (rate: number): string => thousands(Math.ceil(rate / (perCpu * share)));
    return [thousands(pages), fixed(mean, mean < 10 ? 1 : 0), cpus(mean), cpus(4 * mean)];
  });
  return (
    `${fixed(perCpu)} pages a second for each CPU (${machineText(measured.pages)}).\n\n` +
    table([['pages a day', 'a second, mean', 'CPUs, spread evenly', 'CPUs, peaks of four times the mean'], ...rows])
  );
}

function replicasBlock({ measured }: ScalingInputs): string {
  const { replicas, faults } = measured;
  const rows = Object.entries(replicas.summary).map(
    ([name, { pagesPerSecond, timesOneReplica, cpuSecondsPerPage, p50Ms, p95Ms }]) => [
      name,
      fixed(pagesPerSecond),
      `x ${fixed(timesOneReplica)}`,
      `${fixed(cpuSecondsPerPage)} s`,
      `${fixed(p50Ms / 1000)} s, ${fixed(p95Ms / 1000)} s`,
    ],
  );
  const memory = replicas.replicaMemory;
  const range = (values: readonly number[]): string => `${Math.min(...values)} to ${Math.max(...values)} MB`;
  const [first = {}] = faults.rows;
  const blocks = [
    `Six requests at a time, ${replicas.pages} pages, median of ${replicas.rounds} rounds, ratios inside a round (${machineText(replicas)}):`,
    table([
      ['', 'pages a second', 'of one replica', 'processor time a page', 'answer within: median, 95 of 100'],
      ...rows,
    ]),
    busyText(replicas),
    `A replica with one engine process took ${range(memory.map(({ proportionalMb }) => proportionalMb))} (${range(memory.map(({ residentMb }) => residentMb))} with shared pages counted in each process); ` +
      `nginx ${fixed(replicas.nginxCpuMsPerRequest)} ms of processor time a request of ${fixed(replicas.meanRequestBytes / 1e6)} MB.`,
    `Three replicas under the load of eight clients that never ask twice (${machineText(faults)}):`,
    table([Object.keys(first), ...faults.rows.map((row) => Object.values(row).map(String))]),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

/** @returns the table, and the plot as SVG */
function fleetBlock({ measured, assumptions }: ScalingInputs): { text: string; svg: string } {
  const { serviceSeconds, pagesPerSecondPerCpu } = measured.pages;
  const fleetOf = (cpus: number, more: Partial<Fleet>): Fleet => ({
    replicas: Math.max(1, Math.round(cpus / assumptions.processesPerReplica)),
    processes: assumptions.processesPerReplica,
    queueLength: assumptions.queueLength,
    balancers: Math.max(1, Math.ceil(cpus / assumptions.cpusPerBalancer)),
    policy: 'least_conn',
    slowShare: 0,
    slowSpeed: assumptions.slowSpeed,
    serviceSeconds,
    ...more,
  });
  const rate = (cpus: number, more: Partial<Fleet>): number =>
    sustainedRate(fleetOf(cpus, more), assumptions, assumptions.simulatedSeconds);
  const { slowShare } = assumptions;
  const points = assumptions.cpus.map((cpus) => ({
    cpus,
    even: rate(cpus, {}),
    slow: rate(cpus, { slowShare }),
    turns: rate(cpus, { slowShare, policy: 'round_robin' }),
  }));
  const most = assumptions.cpus.at(-1) ?? 0;
  const percent = (share: number): string => `${fixed(100 * share, 0)} %`;
  const series = [
    { name: 'least_conn, all machines alike', of: 'even' },
    {
      name: `least_conn, ${percent(slowShare)} of the machines at ${percent(assumptions.slowSpeed)} speed`,
      of: 'slow',
    },
    { name: 'taking turns, the same machines', of: 'turns' },
  ] as const;
  const svg = lineChart(
    'Pages a second that a fleet keeps up with (simulated)',
    'CPUs',
    'pages a second',
    series.map(({ name, of }, i) => ({
      name,
      points: points.map((point) => [point.cpus, point[of]] as const),
      ...(i === 0 ? { fit: [[0, 0] as const, [most, most * pagesPerSecondPerCpu] as const] } : {}),
    })),
  );
  const megabits = (pages: number): number => (pages * measured.replicas.meanRequestBytes * 8) / 1e6;
  const rows = points.map(({ cpus, even, slow, turns }) => {
    const cell = (value: number): string =>
      `${fixed(value, value < 100 ? 1 : 0)} (${percent(value / (cpus * pagesPerSecondPerCpu))})`;
    const { replicas, balancers } = fleetOf(cpus, {});
    return [
      thousands(cpus),
      `${replicas}, ${balancers}`,
      cell(even),
      cell(slow),
      cell(turns),
      fixed((slow * measured.replicas.nginxCpuMsPerRequest) / 1000),
      `${thousands(megabits(slow))} Mbit/s`,
    ];
  });
  const head = [
    'CPUs',
    'replicas, balancers',
    ...series.map(({ name }) => name),
    "balancers' CPUs",
    'pictures, each way',
  ];
  return { text: table([head, ...rows]), svg };
}

/** Cheap, so that a test can compare it with the file. */
export function costBlock({ measured, cost }: ScalingInputs): string {
  const perCpu = measured.pages.pagesPerSecondPerCpu;
  const rows = cost.machines.map(({ name, cpus, usdPerHour, speed, source }) => {
    const usd = ((usdPerHour / 3600) * 1e6) / (cpus * perCpu * speed);
    return [name, String(cpus), String(usdPerHour), String(speed), fixed(usd), fixed(usd / cost.use), source];
  });
  const { name, usdPerMillionPages, source } = cost.replaced;
  const busy = `busy ${fixed(100 * cost.use, 0)} % of the day`;
  return table([
    ['', 'CPUs', 'US dollars an hour', 'speed of a CPU', 'a million pages, always busy', busy, 'price'],
    ...rows,
    [name, '', '', '', `**${fixed(usdPerMillionPages)}**`, fixed(usdPerMillionPages), source],
  ]);
}

export function withBlock(document: string, name: string, block: string): string {
  const marked = new RegExp(`(<!-- ${name}: .*? -->\n)[^]*?(\n<!-- /${name} -->)`);
  if (!marked.test(document)) throw new Error(`docs/scaling.md has no block ${name}`);
  return document.replace(marked, (_, start: string, end: string) => `${start}\n${block}\n${end}`);
}

async function measuredIn(folder: string): Promise<ScalingInputs['measured']> {
  const load = async <T>(name: string): Promise<T> =>
    JSON.parse(await readFile(path.join(folder, `${name}.json`), 'utf8')) as T;
  const machineOf = ({ date, processor, cpus, loadAverage }: Machine): Machine => ({
    date,
    processor,
    cpus,
    loadAverage,
  });
  type Peers = Machine & {
    summary: PeersSummary;
    rounds: readonly { concurrent: { milliseconds: readonly number[] } }[];
  };
  const [peers, replicas, faults] = await Promise.all([
    load<Peers>('peers'),
    load<Machine & ReplicaFigures>('replicas'),
    load<Machine & { rows: readonly Row[] }>('replica-faults'),
  ]);
  // Two at a time with two engine processes: nothing waits, so this is the time of a page in its process.
  const measured = peers.rounds.flatMap(({ concurrent }) => concurrent.milliseconds);
  // Their mean over all rounds is that of a CPU at the median round's pages a second, which is what everything else is said in.
  const mean = measured.reduce((sum, ms) => sum + ms, 0) / measured.length;
  const scale = peers.cpus / peers.summary.pagesPerSecond / mean;
  const seconds = measured.map((ms) => Math.round(1000 * ms * scale) / 1000);
  const { pages, meanRequestBytes, summary, nginxCpuMsPerRequest, replicaMemory } = replicas;
  return {
    pages: {
      ...machineOf(peers),
      pagesPerSecondPerCpu: Math.round((1000 * peers.summary.pagesPerSecond) / peers.cpus) / 1000,
      serviceSeconds: seconds.toSorted((a, b) => a - b),
    },
    replicas: {
      ...machineOf(replicas),
      ...{ pages, rounds: replicas.rounds.length, meanRequestBytes, summary, nginxCpuMsPerRequest, replicaMemory },
    },
    faults: { ...machineOf(faults), rows: faults.rows },
  };
}

if (import.meta.main) {
  let inputs = JSON.parse(await readFile(INPUTS, 'utf8')) as ScalingInputs;
  const [folder] = process.argv.slice(2);
  if (folder !== undefined) {
    inputs = { ...inputs, measured: await measuredIn(folder) };
    await writeFile(INPUTS, `${JSON.stringify(inputs, null, 1)}\n`);
  }
  const { text, svg } = fleetBlock(inputs);
  let document = await readFile(DOCUMENT, 'utf8');
  const blocks = { sizing: sizingBlock(inputs), replicas: replicasBlock(inputs), fleet: text, cost: costBlock(inputs) };
  for (const [name, block] of Object.entries(blocks)) document = withBlock(document, name, block);
  await writeFile(DOCUMENT, document);
  await writeFile(PLOT, svg);
}
