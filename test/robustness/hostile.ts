import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { imageMemory, startService, type RunningService } from '../running-service.ts';
import { makeBombs } from './bombs.ts';
import { bodyOf, metric, post, SAMPLE_BODY, statusOf, type Answer } from './client.ts';
import { childrenOf, peakBytes, pidOf, residentBytes, serviceBytes } from './processes.ts';
import { megabytes, milliseconds, percentile, Report, tally } from './report.ts';

const ANSWER_WITHIN_MS = 5000;
const MAX_GROWTH_BYTES = 50e6;

interface Picture {
  readonly name: string;
  readonly body: string;
  /** Right answers; empty: any that follows the contract. */
  readonly codes: readonly string[];
}

interface Result {
  readonly picture: Picture;
  readonly answer: Answer;
}

function collect(folder: string | undefined, every: number): Picture[] {
  const names = folder === undefined ? [] : readdirSync(folder).filter((_name, index) => index % every === 0);
  return [
    ...names.map((name) => ({ name, body: bodyOf(readFileSync(path.join(folder ?? '', name))), codes: [] })),
    ...makeBombs().map(({ name, file, codes }) => ({ name, body: bodyOf(file), codes })),
  ];
}

/** As many at a time as there are engine processes, so that no answer is late for others' sake. */
async function onePass(service: RunningService, pictures: readonly Picture[], atATime: number): Promise<Result[]> {
  const results: Result[] = [];
  const queue = [...pictures];
  const client = async (): Promise<void> => {
    for (let picture = queue.shift(); picture !== undefined; picture = queue.shift()) {
      results.push({ picture, answer: await post(service.url, picture.body) });
    }
  };
  await Promise.all(Array.from({ length: atATime }, client));
  return results;
}

const list = (results: readonly Result[]): string =>
  results.length === 0
    ? '0'
    : `${results.length}: ${results
        .slice(0, 8)
        .map(({ picture, answer }) => `${picture.name} -> ${answer.status} ${answer.code} ${milliseconds(answer.ms)}`)
        .join('; ')}`;

function checkAnswers(report: Report, results: readonly Result[]): void {
  const bad = results.filter(({ answer }) => answer.status !== 200 && (answer.status < 400 || answer.status >= 500));
  const late = results.filter(({ answer }) => answer.ms > ANSWER_WITHIN_MS);
  const wrong = results.filter(
    ({ picture, answer }) => picture.codes.length > 0 && !picture.codes.includes(answer.code),
  );
  const times = results.map(({ answer }) => answer.ms);
  report.note(`answers: ${tally(results.map(({ answer }) => answer.code))}`);
  report.note(
    `time: median ${milliseconds(percentile(times, 0.5))}, p99 ${milliseconds(percentile(times, 0.99))}, longest ${milliseconds(Math.max(...times))} (${results.find(({ answer }) => answer.ms === Math.max(...times))?.picture.name})`,
  );
  report.check(`answers that are neither 200 nor 4xx: ${list(bad)}`, bad.length === 0);
  report.check(`answers after more than ${ANSWER_WITHIN_MS} ms: ${list(late)}`, late.length === 0);
  report.check(`own bombs with an answer that does not say why: ${list(wrong)}`, wrong.length === 0);
}

/** `hostile DIR [--passes 3] [--every 1] [--processes 2]`: every file of a folder, and own bombs, three times. */
export async function run(args: readonly string[]): Promise<Report> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      passes: { type: 'string', default: '3' },
      every: { type: 'string', default: '1' },
      processes: { type: 'string', default: '2' },
    },
  });
  const report = new Report();
  const pictures = collect(positionals[0], Number(values.every));
  const service = await startService({ OCR_ENGINE_PROCESSES: values.processes, ...imageMemory() });
  const pid = pidOf(service.process);
  const sample = await post(service.url, SAMPLE_BODY);
  const engines = childrenOf(pid);
  report.note(`${pictures.length} pictures, ${values.passes} passes; resident ${megabytes(serviceBytes(pid))} before`);
  const resident: number[] = [];
  for (let pass = 1; pass <= Number(values.passes); pass += 1) {
    checkAnswers(report, await onePass(service, pictures, Number(values.processes)));
    const after = await post(service.url, SAMPLE_BODY);
    report.check(
      `pass ${pass}: the sample reads byte for byte as before`,
      after.status === 200 && after.body === sample.body,
    );
    resident.push(serviceBytes(pid));
    const each = [pid, ...childrenOf(pid)].map((process) => megabytes(residentBytes(process)));
    report.note(
      `pass ${pass}: resident ${megabytes(serviceBytes(pid))} in all processes (server ${each.join(', engine ')})`,
    );
  }
  const peaks = [pid, ...childrenOf(pid)].map((process) => megabytes(peakBytes(process)));
  report.note(`highest resident memory: server ${peaks.join(', engine ')}`);
  const restarts = await metric(service.url, 'general_ocr_engine_restarts_total');
  report.check(`engine processes that ended: ${restarts}`, restarts === 0 && childrenOf(pid).join() === engines.join());
  report.check('the server is ready', (await statusOf(`${service.url}/health/ready`)) === 200);
  const growth = (resident.at(-1) ?? NaN) - resident[0];
  report.check(`growth from the first to the last pass: ${megabytes(growth)}`, growth <= MAX_GROWTH_BYTES);
  report.check('the server ends with 0', (await service.stop()) === 0);
  return report;
}
