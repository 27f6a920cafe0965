import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import t from 'tap';
import { type Outcome, readPictures, type ReadPicturesOptions } from '../../src/cli/read-pictures.ts';
import { resultFormat } from '../../src/cli/result-formats.ts';
import { OcrError } from '../../src/errors.ts';
import type { Page } from '../../src/ocr/page.ts';
import { IDLE_STATUS } from '../engine/idle-status.ts';

const ORIGIN = { x: 0, y: 0 };

/** A page whose only line is what the file holds. */
const pageOf = (bytes: Uint8Array): Page => ({
  width: 1,
  height: 1,
  lines: [{ text: Buffer.from(bytes).toString(), confidence: 1, quad: [ORIGIN, ORIGIN, ORIGIN, ORIGIN] }],
  timings: { decodeMs: 0, detectMs: 0, recognizeMs: 0, totalMs: 0 },
  cost: { detectorMegapixels: 0, recognizerWidth: 0 },
  textFrom: 'picture',
});

/** An engine that reads a page when it is told to. */
function slowEngine() {
  const begun: { text: string; finish: () => void }[] = [];
  const arrivals: (() => void)[] = [];
  return {
    begun,
    /** Resolves when as many pages as this have been begun. */
    async hasBegun(count: number): Promise<void> {
      while (begun.length < count) await new Promise<void>((resolve) => arrivals.push(resolve));
    },
    status: () => IDLE_STATUS,
    read(bytes: Uint8Array): Promise<Page> {
      return new Promise((resolve) => {
        begun.push({ text: Buffer.from(bytes).toString(), finish: () => resolve(pageOf(bytes)) });
        arrivals.splice(0).forEach((arrived) => arrived());
      });
    },
  };
}

const options = (engine: ReadPicturesOptions['engine'], rest: Partial<ReadPicturesOptions> = {}) => ({
  engine,
  concurrency: 2,
  formats: [resultFormat('text', { words: false, characters: false })],
  limits: { OCR_MAX_IMAGE_BYTES: 1000, OCR_MAX_SIDE: 100, OCR_MIN_SCORE: 0 },
  stdin: Readable.from([]),
  stop: new AbortController().signal,
  onDone: () => undefined,
  ...rest,
});

async function collect(outcomes: AsyncIterable<Outcome>): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for await (const outcome of outcomes) all.push(outcome);
  return all;
}

/** Four files with their names in them. */
function fourFiles(t: { testdir: (files: Record<string, string>) => string }) {
  const folder = t.testdir({ a: 'a', b: 'b', c: 'c', d: 'd' });
  return ['a', 'b', 'c', 'd'].map((name) => ({
    file: path.join(folder, name),
    place: name,
    changedAt: 0,
    outputs: [],
  }));
}

t.test('a file is opened when its turn has come, and outcomes keep the order of the pictures', async (t) => {
  const pictures = fourFiles(t);
  const engine = slowEngine();
  const outcomes = readPictures(pictures, options(engine));
  const all = collect(outcomes);
  await engine.hasBegun(2);
  await writeFile(pictures[2].file, 'changed meanwhile');
  await rm(pictures[3].file);
  t.equal(engine.begun.length, 2, 'no more than there are processes');
  engine.begun[1].finish();
  await engine.hasBegun(3);
  t.equal(engine.begun[2].text, 'changed meanwhile');
  engine.begun[2].finish();
  engine.begun[0].finish();
  t.match(await all, [
    { kind: 'read', file: pictures[0].file, result: 'a\n' },
    { kind: 'read', file: pictures[1].file, result: 'b\n' },
    { kind: 'read', file: pictures[2].file, result: 'changed meanwhile\n' },
    { kind: 'failed', file: pictures[3].file, message: 'There is no such file or folder.' },
  ] satisfies Outcome[]);
});

t.test('stopped: what is being read is finished, nothing more is begun', async (t) => {
  const pictures = fourFiles(t);
  const engine = slowEngine();
  const stop = new AbortController();
  const all = collect(readPictures(pictures, options(engine, { stop: stop.signal })));
  await engine.hasBegun(2);
  stop.abort();
  for (const page of engine.begun) page.finish();
  t.strictSame(
    (await all).map(({ kind }) => kind),
    ['read', 'read', 'skipped', 'skipped'],
  );
  t.equal(engine.begun.length, 2);
});

t.test('an engine that no longer works ends the run, a page that it cannot read does not', async (t) => {
  const pictures = fourFiles(t);
  let ready = true;
  const engine = {
    status: () => ({ ...IDLE_STATUS, ready }),
    read: async (): Promise<Page> => {
      throw new OcrError('UNAVAILABLE', 'Two processes ended.');
    },
  };
  const outcomes = await collect(readPictures(pictures, options(engine)));
  t.strictSame(
    outcomes.map(({ kind }) => kind),
    ['failed', 'failed', 'failed', 'failed'],
  );
  t.match(outcomes[0], { message: 'Two processes ended. (UNAVAILABLE)' });
  ready = false;
  await t.rejects(collect(readPictures(pictures, options(engine))), {
    status: 3,
    message: 'Two processes ended.',
  });
});
