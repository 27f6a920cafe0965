import { once } from 'node:events';
import { mkdir, readdir, readFile, watch, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { generalOcr, outcomeOf, startGeneralOcr } from './general-ocr.ts';
import { SAMPLE, SAMPLE_TEXT } from './pictures.ts';

const ONE = { OCR_ENGINE_PROCESSES: '1' };
const squeeze = (text: string): string => text.replace(/[^\S\n\f]/g, '');

t.test('Ctrl-C: what was done is kept and whole, the same command goes on with the rest', async (t) => {
  const cwd = t.testdir({ in: {} });
  const names = Array.from({ length: 60 }, (_, i) => `${i}.png`);
  await Promise.all(names.map((name) => writeFile(path.join(cwd, 'in', name), SAMPLE)));
  const out = path.join(cwd, 'out');
  await mkdir(out);
  const args = ['read', 'in', '-o', 'out', '-f', 'json'];
  const changes = watch(out);
  const child = startGeneralOcr(args, { cwd, env: ONE });
  const ended = outcomeOf(child);
  for await (const { filename } of changes) if (filename === '0.json') break;
  child.kill('SIGINT');
  const stopped = await ended;
  t.equal(stopped.status, 130);
  t.equal(stopped.stdout, '');
  t.match(stopped.stderr, /Stopping: .*\n\d+ read in .*, \d+ left: the same command goes on with them\.\n$/);
  const done = await readdir(out);
  t.ok(done.length > 0 && done.length < names.length, `${done.length} of ${names.length} done`);
  for (const name of done) {
    t.match(name, /^\d+\.json$/, 'no part of a file');
    t.match(JSON.parse(await readFile(path.join(out, name), 'utf8')), { file: `in/${name.replace('json', 'png')}` });
  }
  const rest = names.length - done.length;
  t.match(await generalOcr(args, { cwd, env: ONE }), {
    status: 0,
    stderr: new RegExp(`^${rest} read in .*, ${done.length} done before\\.\\n$`),
  });
  t.equal((await readdir(out)).length, names.length);
});

t.test('SIGTERM while it waits for standard input', async (t) => {
  const cwd = t.testdir({ 'a.png': SAMPLE });
  const child = startGeneralOcr(['read', 'a.png', '-'], { cwd, env: ONE, stdin: 'open' });
  child.stdout?.once('data', () => child.kill('SIGTERM'));
  const { status, stdout, stderr } = await outcomeOf(child);
  t.equal(status, 143);
  t.equal(squeeze(stdout), squeeze(SAMPLE_TEXT));
  t.match(stderr, /^1 read in .*, 1 left/m);
});

t.test('a reader that goes away ends it with 141', async (t) => {
  const cwd = t.testdir({});
  const names = Array.from({ length: 30 }, (_, i) => `${i}.png`);
  await Promise.all(names.map((name) => writeFile(path.join(cwd, name), SAMPLE)));
  const child = startGeneralOcr(['read', ...names], { cwd, env: ONE });
  const exited = once(child, 'exit');
  child.stdout?.once('data', () => child.stdout?.destroy());
  t.strictSame(await exited, [141, null]);
});
