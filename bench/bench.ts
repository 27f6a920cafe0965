/**
 * `npm run bench -- COMMAND --labels LABELS.json [options]`; bench/README.md says what the figures mean.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { measureCommandLine } from './command-line.ts';
import { checkRatios } from './check.ts';
import { measureGrowth } from './growth.ts';
import { measureMemory } from './memory.ts';
import { measureOverhead } from './overhead.ts';
import { measurePeers } from './peers.ts';
import { measureReplicas, samplePages } from './replicas.ts';
import { loadLabelledSet, type LabelledImage } from './labelled-set.ts';

const USAGE = `usage: npm run bench -- COMMAND --labels LABELS.json [options]

overhead      time of the pipeline over that of its models alone, in this process
memory        resident memory of the service's processes, round by round
peers         the service beside RapidOCR, which RAPIDOCR_PYTHON (a Python that has it) runs through --peer-script
growth        time of a page against its megapixels and against its lines
all           all of the above (overhead in one round): what docs/performance.md is made from
command-line  general-ocr read beside the service: pages a second, and the same texts
check         ratios within generous bounds, for CI
replicas      nginx in front of 1, 2 and 3 replicas: throughput, kills, rolling restart; --labels may be left out

--rounds N          rounds (3)
--counts            replicas: only what is counted, nothing that is timed, for CI
--only A,B          pictures whose names begin so; otherwise all
--out DIR           folder for the results (out/bench)
--peer-script FILE  rapidocr_predict.py
--engines A,B       engines of RapidOCR (onnxruntime,openvino)
--single A,B        pictures for the one-at-a-time latency (0005,0012,0019,0028)
--usd-per-hour N    list price of a machine with 2 CPUs (0.08925: c7i.large, on demand, us-east-1)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    labels: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    counts: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    out: { type: 'string', default: 'out/bench' },
    'peer-script': { type: 'string' },
    engines: { type: 'string', default: 'onnxruntime,openvino' },
    single: { type: 'string', default: '0005,0012,0019,0028' },
    'usd-per-hour': { type: 'string', default: '0.08925' },
  },
});
const listed = (text: string): string[] => text.split(',').filter((part) => part !== '');
const [command] = positionals;
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) fail();
const outDir = values.out;
const set = await pictures();
if (set.length === 0) fail('no picture of the set has a name that begins as --only says');

async function pictures(): Promise<LabelledImage[]> {
  if (values.labels !== undefined) return loadLabelledSet(values.labels, listed(values.only));
  if (command !== 'replicas') fail();
  return samplePages();
}

async function peers(): Promise<void> {
  const python = process.env.RAPIDOCR_PYTHON;
  const script = values['peer-script'];
  const engines = listed(values.engines);
  if (engines.length > 0 && (python === undefined || script === undefined)) {
    fail('peers needs RAPIDOCR_PYTHON and --peer-script');
  }
  await measurePeers(set, rounds, outDir, {
    labels: values.labels ?? '',
    python: python ?? '',
    script: script ?? '',
    engines,
    single: listed(values.single),
    usdPerHour: Number(values['usd-per-hour']),
  });
}

const COMMANDS: Readonly<Record<string, () => Promise<unknown>>> = {
  overhead: () => measureOverhead(set, rounds, outDir),
  memory: () => measureMemory(set, rounds, outDir),
  growth: () => measureGrowth(rounds, outDir),
  'command-line': () => measureCommandLine(set, rounds, outDir),
  check: () => checkRatios(set, rounds, outDir),
  replicas: () => measureReplicas(set, rounds, outDir, values.counts),
  peers,
  async all() {
    await peers();
    await measureMemory(set, rounds, outDir);
    await measureGrowth(rounds, outDir);
    await measureOverhead(set, 1, outDir);
  },
};
const run = COMMANDS[command ?? ''];
if (run === undefined) fail();
// These measure what package and image hold.
if (['peers', 'memory', 'growth', 'all'].includes(command ?? ''))
  execFileSync('npm', ['run', '-s', 'build'], { stdio: 'inherit' });
await run();

function fail(reason?: string): never {
  console.error(reason === undefined ? USAGE : `${reason}\n\n${USAGE}`);
  process.exit(2);
}
