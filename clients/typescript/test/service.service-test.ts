/** Against a running service: GENERAL_OCR_URL, GENERAL_OCR_API_KEY, and SAMPLE, a picture of which the lines are known. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { GeneralOcr, type FileFormat, type OcrDocument } from '../src/index.ts';

const { GENERAL_OCR_URL, SAMPLE = '../../docs/images/sample.png' } = process.env;
assert.ok(GENERAL_OCR_URL, 'GENERAL_OCR_URL must say where the service is (npm run test:clients starts one)');
const ocr = new GeneralOcr();
const picture = await readFile(SAMPLE);

test('reads lines', async () => {
  const lines = await ocr.read(picture);
  assert.equal(lines[4]?.words, 'OCR-2026-0815');
  assert.ok(lines.every(({ score, location }) => score > 0.8 && location.width > 40));
});

test('reads a document with every option', async () => {
  const region = { left: 0, top: 100, width: 760, height: 120 };
  const options = { region, words: true, characters: true, orientation: 'off', minScore: 0.5, pages: '1' } as const;
  const document: OcrDocument = await ocr.readDocument(new Blob([picture]), options);
  assert.equal(document.pageCount, 1);
  assert.deepEqual(
    document.pages[0]?.lines.map(({ text }) => text),
    ['姓名', '李明 Li Ming', '编号', 'OCR-2026-0815'],
  );
  assert.deepEqual(
    document.pages[0]?.lines[1]?.words?.map(({ text }) => text),
    ['李', '明', 'Li', 'Ming'],
  );
  assert.equal(document.pages[0]?.lines[1]?.characters?.length, 8);
  assert.equal(document.model?.name, 'pp-ocrv6-small-int8');
});

test('every other format', async () => {
  const beginnings: Readonly<Record<FileFormat, string>> = {
    text: '样本证件 SPECIMEN\n',
    markdown: '',
    tsv: 'level\tpage_num',
    hocr: '<?xml',
    alto: '<?xml',
    pdf: '%PDF-',
  };
  for (const format of Object.keys(beginnings) as FileFormat[]) {
    const file = format === 'pdf' ? await ocr.readAs(picture, format) : await ocr.readAs(picture, format);
    const text = typeof file === 'string' ? file : new TextDecoder('latin1').decode(file);
    assert.ok(text.startsWith(beginnings[format]) && text.length > 100, `${format}: ${text.slice(0, 60)}`);
    if (format !== 'pdf') assert.match(text, /OCR-2026-0815/);
  }
});

test("the service's refusals", async () => {
  await assert.rejects(ocr.read(new Uint8Array([1, 2, 3])), { name: 'ServiceError', code: 'UNSUPPORTED_FORMAT' });
  await assert.rejects(ocr.readDocument(picture, { minScore: 2 }), { code: 'INVALID_REQUEST', message: /minScore/ });
  await assert.rejects(ocr.read('http://127.0.0.1/a.png'), { code: 'SOURCE_NOT_ALLOWED' });
  await assert.rejects(new GeneralOcr({ apiKey: 'wrong' }).read(picture), { code: 'UNAUTHORIZED', status: 401 });
});

test('what runs there', async () => {
  const { limits, modelPack } = await ocr.info();
  assert.ok(limits.maxSide >= 1000);
  assert.equal(modelPack.files.length, 3);
});
