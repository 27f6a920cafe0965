/**
 * Reads both labelled sets in this process and writes the table of docs/accuracy.md:
 *
 *   npm run eval -- EVAL_DIR [OUT_DIR]
 *
 * EVAL_DIR holds synthetic/, real/, score.mjs and score_recall.py (Python 3). What OUT_DIR/results.json of bench/stress.ts
 * holds goes into the second table. Figures are those of the embedded pack, boxes at slack 0.2.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const [evalDir, outDir = 'out/eval'] = process.argv.slice(2);
if (evalDir === undefined) {
  process.stderr.write('usage: npm run eval -- EVAL_DIR [OUT_DIR]\n');
  process.exit(2);
}
mkdirSync(outDir, { recursive: true });
const document = fileURLToPath(new URL('../docs/accuracy.md', import.meta.url));

/** RapidOCR 3.10 on the same sets at slack 0.5, its best case, and what this project asks of itself. */
const CATEGORIES: readonly (readonly [name: string, rapidOcr: string, asked: number])[] = [
  ['document', '88', 96],
  ['id_card', '75-100', 99],
  ['receipt', '', 0],
  ['invoice', '', 0],
  ['business_licence', '', 0],
  ['screenshot', '75-100', 99],
  ['table', '75-100', 99],
  ['label', '90', 96],
  ['street_sign', '', 0],
  ['slide', '75-100', 99],
  ['small_text', '65', 90],
  ['english', '', 0],
  ['vertical', '62', 90],
  ['rotated', '75-100', 99],
  ['low_quality', '61', 90],
  ['long_line', '81', 96],
  ['sparse', '75-100', 99],
];

const run = (command: string, args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 });
const evaluate = fileURLToPath(new URL('evaluate.ts', import.meta.url));

function read(set: string): { labels: string; predictions: string; cost: Record<string, number> } {
  const labels = path.join(evalDir as string, set, 'labels.json');
  const predictions = path.join(outDir, `${set}.json`);
  const cost = JSON.parse(run(process.execPath, [evaluate, labels, predictions])) as Record<string, number>;
  return { labels, predictions, cost };
}

/** The columns of score.mjs by the name in its first column. */
function scoreColumns(labels: string, predictions: string): (row: string) => string[] {
  const args = [path.join(evalDir as string, 'score.mjs'), '--labels', labels, '--pred', predictions, '--slack', '0.2'];
  const rows = run(process.execPath, args)
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return (name) => rows.find(([first]) => first === name) ?? [];
}
const E2E = 9;
const NED = 10;
const CHARACTER_F1 = 11;
const ENGLISH_WORDS = 12;
const TAU = 13;
const DETECTION_F1 = 7;

/** Puts `content` between `<!-- name -->` and `<!-- /name -->`. */
const replaceBetweenMarkers = (markdown: string, name: string, content: string): string =>
  markdown.replace(new RegExp(`<!-- ${name} -->[^]*<!-- /${name} -->`), () =>
    [`<!-- ${name} -->`, content, `<!-- /${name} -->`].join('\n\n'),
  );

const line = (...cells: (string | number | undefined)[]): string =>
  `| ${cells.map((cell) => cell ?? '').join(' | ')} |`;
const atLeast = (asked: number): string => (asked === 0 ? '' : String(asked));

const synthetic = read('synthetic');
const columns = scoreColumns(synthetic.labels, synthetic.predictions);
const overall = columns('OVERALL');
const real = read('real');
const recalls = run('python3', [
  path.join(evalDir, 'score_recall.py'),
  '--labels',
  real.labels,
  '--pred',
  real.predictions,
]);
const recall = (kind: string): string => new RegExp(`^${kind}.*recall ([\\d.]+)`, 'm').exec(recalls)?.[1] ?? '';

const table = [
  '| development set | RapidOCR | here | asked |',
  '| --- | --- | --- | --- |',
  line('E2E, all', '79.4', overall[E2E], 97),
  line('1-NED', '84.2', overall[NED], 99.7),
  line('character F1', '95.9', overall[CHARACTER_F1], 99.8),
  line('detection F1', '86.8', overall[DETECTION_F1], 99.9),
  ...CATEGORIES.map(([name, rapidOcr, asked]) =>
    line(`${name.replace('_', ' ')} E2E`, rapidOcr, columns(name)[E2E], atLeast(asked)),
  ),
  line('English words', '98.4', overall[ENGLISH_WORDS], 99.8),
  line('reading order, tau', '0.996', overall[TAU], 0.999),
  line('detector megapixels', '134.5', synthetic.cost.detectorMegapixels, 'at most 50'),
  line('recognizer width, 1,000 px', '1114', Math.round((synthetic.cost.recognizerWidth ?? 0) / 1000), 'at most 850'),
  line('real: line crops', '65.1', recall('line crops'), 99.3),
  line('real: photos', '98.6', recall('photos'), 99.1),
  line('real: screens, documents', '96.7', recall('screenshots'), 99.4),
  line('real: vertical, rotated', '97.7', recall('vertical'), 100),
].join('\n');
let text = replaceBetweenMarkers(readFileSync(document, 'utf8'), 'figures', table);

const stressFile = path.join(outDir, 'results.json');
if (existsSync(stressFile)) {
  const results = Object.entries(JSON.parse(readFileSync(stressFile, 'utf8')) as Record<string, number>);
  const unchanged = results.find(([name]) => name === 'unchanged')?.[1] ?? NaN;
  const rows = results.map(([name, e2e]) => line(name, e2e.toFixed(1), (e2e - unchanged).toFixed(1)));
  text = replaceBetweenMarkers(
    text,
    'stress',
    ['| change | E2E | difference |', '| --- | --- | --- |', ...rows].join('\n'),
  );
}
writeFileSync(document, text);
process.stdout.write(`${table}\n`);
