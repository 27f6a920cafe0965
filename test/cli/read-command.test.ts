import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { generalOcr } from './general-ocr.ts';
import { BROKEN, CARD, SAMPLE, SAMPLE_TEXT } from './pictures.ts';

const ONE = { OCR_ENGINE_PROCESSES: '1' };
const squeeze = (text: string): string => text.replace(/[^\S\n\f]/g, '');

/** Files below a folder with their contents' time, in order. */
async function listing(folder: string): Promise<[name: string, mtimeMs: number][]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  return Promise.all(names.map(async (name) => [name, (await stat(path.join(folder, name))).mtimeMs]));
}

t.test('a picture: its text on standard output and nothing on standard error', async (t) => {
  const cwd = t.testdir({ 'a.png': SAMPLE });
  const { status, stdout, stderr } = await generalOcr(['read', 'a.png'], { cwd });
  t.equal(status, 0);
  t.equal(squeeze(stdout), squeeze(SAMPLE_TEXT));
  t.equal(stderr, '');
});

t.test('several pictures, a broken one among them: the rest in order, the fault at the end, exit 1', async (t) => {
  const cwd = t.testdir({ 'card.png': CARD, 'broken.png': BROKEN, 'a.png': SAMPLE });
  const { status, stdout, stderr } = await generalOcr(['read', 'card.png', 'broken.png', 'gone.png', 'a.png'], {
    cwd,
    env: { OCR_ENGINE_PROCESSES: '2' },
  });
  t.equal(status, 1);
  const [card = '', sample] = stdout.split('\f');
  t.match(card, /^样本证件[^]*\n识别结果按阅读顺序给出。\n$/, 'the slower one comes first all the same');
  t.equal(squeeze(sample ?? ''), squeeze(SAMPLE_TEXT));
  t.match(stderr, /^2 read in [\d.]+ s \([\d.]+ pages\/s\), 2 failed\.\n/);
  t.match(stderr, /^gone\.png: There is no such file or folder\.$/m);
  t.match(stderr, /^broken\.png: .*\(UNSUPPORTED_FORMAT\)$/m);
});

t.test('standard input, as JSON', async (t) => {
  const { status, stdout, stderr } = await generalOcr(['read', '-', '-f', 'json'], { stdin: SAMPLE, env: ONE });
  t.equal(status, 0, stderr);
  const answer: unknown = JSON.parse(stdout);
  t.match(answer, { file: '-', pages: [{ width: 360, height: 96 }] });
  t.equal(stdout.trimEnd().split('\n').length, 1, 'one document a line');
});

t.test('a folder is resumable, and its own results are not read', async (t) => {
  const cwd = t.testdir({ in: { 'a.png': SAMPLE, 'b.jpg': BROKEN, sub: { 'c.PNG': SAMPLE }, 'notes.txt': '' } });
  const args = ['read', 'in', '-o', 'in/out', '-f', 'json,text', '--overlay'];
  const first = await generalOcr(args, { cwd, env: ONE });
  t.match(first, { status: 1, stdout: '', stderr: /^2 read in .*, 1 failed\.\nin\/b\.jpg: .*UNSUPPORTED_FORMAT/ });
  const out = path.join(cwd, 'in/out');
  const made = await listing(out);
  t.strictSame(
    made.map(([name]) => name),
    ['a.json', 'a.overlay.jpg', 'a.txt', 'sub', 'sub/c.json', 'sub/c.overlay.jpg', 'sub/c.txt'],
  );
  t.equal(squeeze(await readFile(path.join(out, 'sub/c.txt'), 'utf8')), squeeze(SAMPLE_TEXT));

  await writeFile(path.join(cwd, 'in/b.jpg'), SAMPLE);
  const second = await generalOcr(args, { cwd, env: ONE });
  t.match(second, { status: 0, stdout: '', stderr: /^1 read in .*, 2 done before\.\n$/ });
  const kept = new Map(await listing(out));
  for (const [name, mtimeMs] of made)
    if (name !== 'sub') t.equal(kept.get(name), mtimeMs, `${name} was not made again`);

  const later = new Date(Date.now() + 60_000);
  await utimes(path.join(cwd, 'in/a.png'), later, later);
  t.match(await generalOcr(args, { cwd, env: ONE }), { status: 0, stderr: /^1 read in .*, 2 done before\.\n$/ });
  t.match(await generalOcr(['read', 'in', '-o', 'in/out', '--force', '-q'], { cwd, env: ONE }), {
    status: 0,
    stdout: '',
    stderr: '',
  });
});

t.test('--min-score leaves lines out', async (t) => {
  const cwd = t.testdir({ 'a.png': SAMPLE });
  t.match(await generalOcr(['read', 'a.png', '--min-score', '1'], { cwd }), { status: 0, stdout: '', stderr: '' });
});

t.test('every format, of one reading', async (t) => {
  const cwd = t.testdir({ 'a.png': CARD });
  const formats = 'text,json,markdown,tsv,hocr,alto,pdf';
  const args = ['read', 'a.png', '-o', 'out', '-f', formats, '--words', '--overlay'];
  t.match(await generalOcr(args, { cwd }), { status: 0, stdout: '' });
  const read = (name: string): Promise<string> => readFile(path.join(cwd, 'out', name), 'latin1');
  t.strictSame((await readdir(path.join(cwd, 'out'))).sort(), [
    'a.hocr',
    'a.json',
    'a.md',
    'a.overlay.jpg',
    'a.pdf',
    'a.tsv',
    'a.txt',
    'a.xml',
  ]);
  t.match(await read('a.pdf'), /^%PDF-1\.[^]*%%EOF\s*$/);
  t.match(await read('a.xml'), /<alto [^]*CONTENT="SPECIMEN"/);
  t.match(await read('a.hocr'), /ocr_page[^]*SPECIMEN/);
  t.match(await read('a.tsv'), /^level\t[^]*\tSPECIMEN$/m);
  t.match(await read('a.json'), /"words":\[/);
  const pdf = await generalOcr(['read', 'a.png', '-f', 'pdf'], { cwd });
  t.match(pdf, { status: 0, stdout: /^%PDF/, stderr: '' });
});
