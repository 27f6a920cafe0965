/**
 * Holds the running service against labelled pictures and fails when it reads worse than it must:
 *
 *   node test/accuracy/accuracy-gate.ts EVAL_DIR [OUT_DIR]
 *
 * EVAL_DIR holds synthetic/, real/, run_http.mjs, score.mjs and score_recall.py. Everything goes through HTTP. Every
 * figure is printed; the last line counts the checks.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startService } from '../running-service.ts';

/** Figures of docs/accuracy.md less 0.4 at most, boxes at slack 0.2. Raised when the pipeline gets better, never lowered. */
const AT_LEAST = { e2e: 97.4, detectionF1: 99.7, characterF1: 99.5, recall: 99.2 };
/** What the models may be given for the development set: detector megapixels, and recognizer width in pixels. */
const AT_MOST = { detectorMegapixels: 50, recognizerWidth: 850_000 };
const READY_WITHIN_MS = 4000;
const CONCURRENCIES = [1, 2, 4];

const [evalDir, outDir = 'out/accuracy'] = process.argv.slice(2);
if (evalDir === undefined) {
  process.stderr.write('usage: node test/accuracy/accuracy-gate.ts EVAL_DIR [OUT_DIR]\n');
  process.exit(2);
}
mkdirSync(outDir, { recursive: true });
let passed = 0;
let failed = 0;
function check(what: string, holds: boolean): void {
  process.stdout.write(`${holds ? 'ok' : 'NOT OK'} ${what}\n`);
  if (holds) passed++;
  else failed++;
}
const run = (command: string, args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 * 1024 * 1024 });

const service = await startService();
check(
  `ready ${Math.round(service.readyMs)} ms after the process started (at most ${READY_WITHIN_MS})`,
  service.readyMs <= READY_WITHIN_MS,
);

/** Posts a set and gives the file of predictions. */
function post(set: string, concurrency: number): string {
  const out = path.join(outDir, `${set}-${concurrency}.json`);
  const labels = path.join(evalDir as string, set, 'labels.json');
  const args = ['--labels', labels, '--url', `${service.url}/general_ocr`, '--out', out];
  const summary = run(process.execPath, [
    path.join(evalDir as string, 'run_http.mjs'),
    ...args,
    '--concurrency',
    `${concurrency}`,
  ]);
  process.stdout.write(`${set}, concurrency ${concurrency}: ${summary}`);
  check(
    `${set}, concurrency ${concurrency}: no image failed`,
    (JSON.parse(summary) as { failed: number }).failed === 0,
  );
  return out;
}

const predictions = CONCURRENCIES.map((concurrency) => post('synthetic', concurrency));
const bytes = predictions.map((file) => readFileSync(file, 'utf8'));
check(
  `the same answers at concurrency ${CONCURRENCIES.join(', ')}`,
  bytes.every((text) => text === bytes[0]),
);

const metrics = await (await fetch(`${service.url}/metrics`)).text();
const spent = (name: string): number =>
  Number(new RegExp(`^${name} (\\S+)`, 'm').exec(metrics)?.[1]) / CONCURRENCIES.length;
const megapixels = spent('general_ocr_detector_pixels_total') / 1e6;
const width = spent('general_ocr_recognizer_width_pixels_total');
check(
  `detector ${megapixels.toFixed(1)} megapixels (at most ${AT_MOST.detectorMegapixels})`,
  megapixels <= AT_MOST.detectorMegapixels,
);
check(`recognizer width ${Math.round(width)} (at most ${AT_MOST.recognizerWidth})`, width <= AT_MOST.recognizerWidth);

const labels = path.join(evalDir, 'synthetic', 'labels.json');
const scores = run(process.execPath, [
  path.join(evalDir, 'score.mjs'),
  '--labels',
  labels,
  '--pred',
  predictions[0] as string,
  '--slack',
  '0.2',
]);
process.stdout.write(scores);
const columns =
  scores
    .split('\n')
    .find((line) => line.startsWith('OVERALL'))
    ?.trim()
    .split(/\s+/) ?? [];
const [, , , , , , , detectionF1, , e2e, , characterF1] = columns.map(Number);
check(`E2E ${e2e} (at least ${AT_LEAST.e2e})`, Number(e2e) >= AT_LEAST.e2e);
check(`detection F1 ${detectionF1} (at least ${AT_LEAST.detectionF1})`, Number(detectionF1) >= AT_LEAST.detectionF1);
check(`character F1 ${characterF1} (at least ${AT_LEAST.characterF1})`, Number(characterF1) >= AT_LEAST.characterF1);

const realLabels = path.join(evalDir, 'real', 'labels.json');
const recalls = run('python3', [
  path.join(evalDir, 'score_recall.py'),
  '--labels',
  realLabels,
  '--pred',
  post('real', 2),
]);
process.stdout.write(recalls);
const recall = Number(/^all: .*recall ([\d.]+)/m.exec(recalls)?.[1]);
check(`real pictures: recall ${recall} (at least ${AT_LEAST.recall})`, recall >= AT_LEAST.recall);

const code = await service.stop();
check(`SIGTERM ends the service with 0 (${code})`, code === 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
