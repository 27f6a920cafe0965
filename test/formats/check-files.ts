/**
 * Reads real pictures, writes every format and has other programs check the files: `node test/formats/check-files.ts`.
 *
 * `hocr-check` (hocr-tools) and `pdftotext` (poppler-utils) are found on the PATH or by HOCR_CHECK and PDFTOTEXT; `xmllint`
 * (libxml2-utils) checks ALTO against the schema that ALTO_XSD names (the source package of kraken 5.2.9 carries
 * alto-4-3.xsd with what it imports).
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { toDocument, type OcrDocument } from '../../src/formats/document.ts';
import { FORMAT_TRAITS, renderDocument, type Format } from '../../src/formats/render-document.ts';
import { loadModels, readPage } from '../../src/ocr/read-page.ts';

const PICTURES = [
  'docs/images/sample.png',
  ...['card', 'page', 'receipt', 'sign'].map((name) => `src/web/samples/${name}.png`),
];

const root = new URL('../../', import.meta.url);
const { HOCR_CHECK = 'hocr-check', PDFTOTEXT = 'pdftotext', ALTO_XSD = '' } = process.env;
let passed = 0;
let failed = 0;

function check(ok: boolean, what: string, why: string): void {
  if (ok) passed += 1;
  else failed += 1;
  process.stdout.write(ok ? `ok      ${what}\n` : `FAILED  ${what}\n${why}\n`);
}

function run(program: string, ...args: string[]): { ok: boolean; output: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  return { ok: status === 0, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

const bare = (text: string): string => text.replace(/\s+/gu, '');

async function checkDocument(document: OcrDocument, stem: string): Promise<void> {
  const write = async (format: Format, characters: boolean): Promise<string> => {
    const file = `${stem}${characters ? '.characters' : ''}${FORMAT_TRAITS[format].extension}`;
    await writeFile(file, renderDocument(document, format, { words: true, characters }));
    return file;
  };
  for (const characters of [false, true]) {
    if (document.pages.length === 1) {
      // hocr-check lays all pages of a file on top of each other and finds that they overlap.
      const hocr = await write('hocr', characters);
      const { ok, output } = run(HOCR_CHECK, hocr);
      const sound = ok && /^ok 3 /m.test(output) && !/^not ok/m.test(output);
      check(sound, `hocr-check ${path.basename(hocr)}`, output);
    }
    const alto = await write('alto', characters);
    const valid = run('xmllint', '--nonet', '--noout', '--schema', ALTO_XSD, alto);
    check(valid.ok, `xmllint ${path.basename(alto)}`, valid.output);
  }
  const pdf = await write('pdf', false);
  const { ok, output } = run(PDFTOTEXT, '-raw', '-enc', 'UTF-8', pdf, '-');
  const expected = document.pages.flatMap(({ lines }) => lines.map(({ text }) => text)).join('\n');
  check(ok && bare(output) === bare(expected), `pdftotext ${path.basename(pdf)}`, `${output}\ninstead of\n${expected}`);
}

const folder = await mkdtemp(path.join(tmpdir(), 'general-ocr-formats-'));
try {
  const models = await loadModels({ modelsDir: new URL('models', root).pathname, modelPack: 'pp-ocrv6-small-int8' });
  const pages = [];
  for (const picture of PICTURES) {
    const page = await readPage(
      await readFile(new URL(picture, root)),
      { maxSide: 4096, characters: true, picture: true },
      models,
    );
    pages.push(page);
    await checkDocument(toDocument([page], { minScore: 0.3 }), path.join(folder, path.basename(picture, '.png')));
  }
  await checkDocument(toDocument(pages, { minScore: 0.3 }), path.join(folder, 'all-pages'));
} finally {
  await rm(folder, { recursive: true });
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
