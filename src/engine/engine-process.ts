/**
 * Program of an engine process: loads the models, proves them on the sample, then reads one page after the other for the
 * server process that forked it (`engine.ts`). It ends when that process closes the channel, or is gone.
 */
import { parseArgs } from 'node:util';
import { OcrError } from '../errors.ts';
import { giveBack } from '../give-back.ts';
import { loadModels, loadTwoThreadedDetector, readPage, type Models } from '../ocr/read-page.ts';
import { LineHelper } from './line-helper.ts';
import { receivePicture } from './picture-pipe.ts';
import type { EngineMessage, EngineRequest, ReadOutcome, ReadTask } from './protocol.ts';
import { SAMPLE_IMAGE_BASE64, SAMPLE_LINES } from './sample.ts';
import { SharedLines } from './shared-lines.ts';

/** Longest side in pixels for the sample, which is 360 x 96; any default of OCR_MAX_SIDE does. */
const SAMPLE_MAX_SIDE = 4096;

const INTERNAL_MESSAGE =
  'An unexpected error happened while the page was being read. The operator finds it in the log.';

const withoutWhiteSpace = (text: string): string => text.replace(/\s+/gu, '');

/** Sends, and resolves when the message is on its way. A server process that is gone is no error: 'disconnect' ends us. */
function send(message: EngineMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) throw new Error('engine-process is started by the server, not by hand');
    process.send(message, () => resolve());
  });
}

/** @throws {Error} if the models do not read the sample as they should: damaged, or of another kind than they say */
async function readSample(models: Models): Promise<void> {
  const page = await readPage(Buffer.from(SAMPLE_IMAGE_BASE64, 'base64'), { maxSide: SAMPLE_MAX_SIDE }, models);
  const found = page.lines.map(({ text }) => withoutWhiteSpace(text));
  const expected = SAMPLE_LINES.map(withoutWhiteSpace);
  if (found.length === expected.length && found.every((text, index) => text === expected[index])) return;
  throw new Error(`the sample was read as ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
}

async function outcomeOf(
  image: Buffer,
  { options }: ReadTask,
  models: Models,
  lines?: SharedLines,
): Promise<ReadOutcome> {
  try {
    return { ok: true, page: await readPage(image, options, models, lines) };
  } catch (error) {
    if (error instanceof OcrError) {
      const { code, message, detail } = error;
      return detail === undefined ? { ok: false, code, message } : { ok: false, code, message, detail };
    }
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ok: false, code: 'INTERNAL', message: INTERNAL_MESSAGE, detail };
  }
}

/** Does what the server process asks for. It sends the next page after the outcome of the last, so they cannot overlap. */
function listen(models: Models, modelsOfIdleTimes: () => Models): void {
  const helper = new LineHelper(models.recognizer, models.charset, send);
  let lines: SharedLines | undefined;
  const serve = async (task: ReadTask): Promise<void> => {
    lines = task.shared ? new SharedLines(task.id, send) : undefined;
    await helper.stop();
    const image = receivePicture(task.imageBytes);
    const outcome = await outcomeOf(image, task, task.coreToSpare ? modelsOfIdleTimes() : models, lines);
    lines = undefined;
    await send({ type: 'outcome', id: task.id, outcome, residentBytes: process.memoryUsage.rss() });
    giveBack(image);
  };
  process.on('message', (request: EngineRequest) => {
    if (request.type === 'read') void serve(request);
    else if (request.type === 'line') helper.add(request);
    else if (request.type === 'helper') lines?.addHelper(request.page, request.helper);
    else lines?.addReading(request);
  });
}

async function start(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'models-dir': { type: 'string', default: '' },
      'model-pack': { type: 'string', default: '' },
      /** Number of engine processes. */
      of: { type: 'string', default: '1' },
    },
  });
  const pack = { modelsDir: values['models-dir'], modelPack: values['model-pack'] };
  const models = await loadModels(pack);
  await readSample(models);
  let modelsOfIdleTimes = models;
  listen(models, () => modelsOfIdleTimes);
  await send({ type: 'ready', residentBytes: process.memoryUsage.rss() });
  // It takes a tenth of a second that nobody should wait for at the start.
  if (Number(values.of) > 1) modelsOfIdleTimes = { ...models, detector: await loadTwoThreadedDetector(pack) };
}

process.title = 'general-ocr-engine';
process.on('disconnect', () => process.exit(0));
// A terminal's Ctrl-C and some supervisors signal the whole group. When this process ends is the server's decision: it
// drains first.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);

try {
  await start();
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof Error ? error.stack : reason}\n`);
  await send({ type: 'failed', reason });
  process.exit(1);
}
