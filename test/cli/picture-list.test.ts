import { symlink } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { listPictures } from '../../src/cli/picture-list.ts';

/** Places of what the words name, below a folder of this test. */
async function places(base: string, words: readonly string[], outDir?: string): Promise<string[]> {
  const absolute = words.map((word) => (word === '-' ? word : path.join(base, word)));
  const { pictures } = await listPictures(absolute, outDir === undefined ? undefined : path.join(base, outDir));
  return pictures.map(({ place }) => place);
}

t.test('folders, patterns and files', async (t) => {
  const base = t.testdir({
    'scan10.png': '',
    'scan9.jpg': '',
    'scan9.txt': '',
    'x[1].png': '',
    B: { 'a.BMP': '', 'b.jpeg': '', '.hidden.png': '', '.git': { 'c.png': '' }, 'done.overlay.jpg': '' },
    'B.png': { 'inside.png': '' },
  });
  const rows: [string[], string[]][] = [
    [['.'], ['B.png/inside.png', 'B/a.BMP', 'B/b.jpeg', 'scan9.jpg', 'scan10.png', 'x[1].png']],
    [['B'], ['a.BMP', 'b.jpeg']],
    [['scan*.*'], ['scan9.jpg', 'scan9.txt', 'scan10.png']],
    [['**/*.{jpeg,BMP}'], ['B/a.BMP', 'B/b.jpeg']],
    [['B/*'], ['a.BMP', 'b.jpeg']],
    [['x[1].png'], ['x[1].png']],
    [
      ['scan9.txt', 'B/.hidden.png'],
      ['scan9.txt', '.hidden.png'],
    ],
    [['scan10.png', './scan10.png', 'scan*.png'], ['scan10.png']],
    [
      ['-', 'scan10.png'],
      ['stdin', 'scan10.png'],
    ],
  ];
  for (const [words, expected] of rows)
    t.strictSame((await places(base, words)).sort(), expected.sort(), words.join(' '));
  t.strictSame(await places(base, ['scan*.*']), ['scan9.jpg', 'scan9.txt', 'scan10.png'], 'numbers by value');
});

t.test('what is not there is told, and the rest is found', async (t) => {
  const base = t.testdir({ 'a.png': '', empty: {} });
  const words = ['gone.png', 'a.png', 'empty', '*.bmp'].map((word) => path.join(base, word));
  const { pictures, notFound } = await listPictures(words, undefined);
  t.match(pictures, [{ place: 'a.png' }]);
  t.strictSame(
    notFound.map(({ file, message }) => [path.basename(file), message]),
    [
      ['gone.png', 'There is no such file or folder.'],
      ['empty', 'The folder holds no jpg, jpeg, png or bmp file.'],
      ['*.bmp', 'No file matches the pattern.'],
    ],
  );
});

t.test('results in the folder that is read are left out, unless they are what is read', async (t) => {
  const base = t.testdir({ 'a.png': '', out: { 'b.png': '' } });
  t.strictSame(await places(base, ['.'], 'out'), ['a.png']);
  t.strictSame(await places(base, ['**/*.png'], 'out'), ['a.png']);
  t.strictSame(await places(base, ['out'], 'out'), ['b.png']);
  t.strictSame(await places(base, ['.'], '.'), ['a.png', 'out/b.png']);
});

t.test('links to pictures are read, links to folders and dead links are not followed', async (t) => {
  const base = t.testdir({ 'a.png': '', in: {} });
  await symlink('../a.png', path.join(base, 'in/link.png'));
  await symlink('..', path.join(base, 'in/up'));
  await symlink('nowhere.png', path.join(base, 'in/dead.png'));
  t.strictSame(await places(base, ['in']), ['link.png']);
});

t.test('standard input twice is wrong', async (t) => {
  await t.rejects(listPictures(['-', '-'], undefined), { status: 2, message: /only once/ });
});
