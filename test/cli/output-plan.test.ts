import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { isDone, planOutputs } from '../../src/cli/output-plan.ts';
import { writeWhole } from '../../src/cli/write-whole.ts';

const picture = (file: string, place = path.basename(file)) => ({ file, place, changedAt: 0 });

t.test('names', async (t) => {
  const planned = planOutputs(
    [picture('in/sub/a.png', 'sub/a.png'), picture('in/b.JPG'), picture('in/c.png'), picture('in/C.jpg')],
    'out',
    ['.json', '.overlay.jpg'],
  );
  t.strictSame(
    planned.map(({ outputs }) => outputs),
    [
      ['out/sub/a.json', 'out/sub/a.overlay.jpg'],
      ['out/b.json', 'out/b.overlay.jpg'],
      ['out/c.png.json', 'out/c.png.overlay.jpg'],
      ['out/C.jpg.json', 'out/C.jpg.overlay.jpg'],
    ],
  );
});

t.test('clashes are refused before anything is read', async (t) => {
  const clash = { status: 2, message: /would replace/ };
  t.throws(() => planOutputs([picture('x/a.png'), picture('y/a.png')], 'out', ['.txt']), clash);
  t.throws(
    () => planOutputs([picture('x/a.png'), picture('y/A.PNG')], 'out', ['.txt']),
    clash,
    'one file on some disks',
  );
  t.throws(() => planOutputs([picture('a.png'), picture('a.png.png'), picture('a.jpg')], 'o', ['.txt']), clash);
  const overlays = [picture('in/a.png'), picture('in/a.overlay.jpg')];
  t.throws(() => planOutputs(overlays, 'in', ['.overlay.jpg']), clash, 'a picture is never replaced');
});

t.test('done is what is there in every file and not older than the picture', async (t) => {
  const folder = t.testdir({});
  const outputs = [path.join(folder, 'a.json'), path.join(folder, 'a.txt')] as const;
  const planned = { file: 'a.png', place: 'a.png', changedAt: 1_700_000_000_000, outputs };
  t.notOk(await isDone(planned));
  await writeFile(outputs[0], '');
  t.notOk(await isDone(planned), 'one is missing');
  await writeFile(outputs[1], '');
  t.ok(await isDone(planned));
  await utimes(outputs[0], 1_600_000_000, 1_600_000_000);
  t.notOk(await isDone(planned), 'one is older');
  t.notOk(await isDone({ ...planned, changedAt: undefined }), 'standard input');
  t.notOk(await isDone({ ...planned, outputs: [] }), 'standard output');
});

t.test('a file is written whole or not at all', async (t) => {
  const folder = t.testdir({ taken: { by: { 'a.folder': '' } } });
  await writeWhole(path.join(folder, 'new/deep/a.txt'), 'text');
  await writeWhole(path.join(folder, 'new/deep/a.txt'), 'other');
  await t.rejects(writeWhole(path.join(folder, 'taken/by'), 'text'), { code: /EISDIR|ENOTEMPTY|EEXIST|EPERM/ });
  t.strictSame((await readdir(folder, { recursive: true })).sort(), [
    'new',
    'new/deep',
    'new/deep/a.txt',
    'taken',
    'taken/by',
    'taken/by/a.folder',
  ]);
  t.equal(await readFile(path.join(folder, 'new/deep/a.txt'), 'utf8'), 'other');
});
