/** Stands in for `src/ocr/read-page.ts` in the real program of an engine process. `modelPack` says what goes wrong. */
import { SAMPLE_LINES } from '../../src/engine/sample.ts';
import { OcrError } from '../../src/errors.ts';
import type { Line, Page, ReadOptions } from '../../src/ocr/page.ts';
import { visitGate } from './gate.ts';

export interface FakeModels {
  readonly modelsDir: string;
  readonly modelPack: string;
}

const corner = { x: 0, y: 0 };
const lineOf = (text: string): Line => ({ text, confidence: 1, quad: [corner, corner, corner, corner] });

export async function loadModels(models: FakeModels): Promise<FakeModels> {
  if (models.modelPack === 'missing') throw new Error('there is no such pack');
  return models;
}

export async function loadTwoThreadedDetector(): Promise<string> {
  return 'two threads';
}

/** A PNG is taken for the sample; anything else is a word that says what to do. */
export async function readPage(image: Uint8Array, { maxSide }: ReadOptions, models: FakeModels): Promise<Page> {
  const isPng = image[0] === 0x89;
  const word = isPng ? '' : Buffer.from(image).toString();
  if (word === 'refuse') throw new OcrError('INVALID_IMAGE', 'The picture is damaged.', { detail: 'marker missing' });
  if (word === 'refuse briefly') throw new OcrError('UNSUPPORTED_FORMAT', 'Not a picture.');
  if (word === 'bug') throw new TypeError('x is undefined in /srv/secret/path');
  if (word.startsWith('gate:')) await visitGate(Number(word.slice('gate:'.length)), 'page');
  const sampleLines = models.modelPack === 'misreads' ? ['General 0CR'] : SAMPLE_LINES.map((text) => ` ${text}\t`);
  const facts = [word, process.title, models.modelsDir, String(maxSide), process.env.ORT_DISABLE_TELEMETRY ?? ''];
  return {
    width: process.pid,
    height: 1,
    lines: (isPng ? sampleLines : facts).map(lineOf),
    timings: { decodeMs: 0, detectMs: 0, recognizeMs: 0, totalMs: 0 },
    cost: { detectorMegapixels: 0, recognizerWidth: 0 },
    textFrom: 'picture',
  };
}
