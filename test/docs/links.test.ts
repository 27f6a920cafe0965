import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { fencedBlocks } from './markdown.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = [
  ...globSync('{*,docs/*}.md', { cwd: root }),
  ...globSync('{bench,models,deploy,clients}/**/*.md', { cwd: root, exclude: (name) => name === 'node_modules' }),
];

/** What GitHub makes of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (markdown: string): string[] =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));

/** Links and pictures, outside of code blocks, that lead to files. */
function linksOf(markdown: string): string[] {
  let prose = markdown;
  for (const { text } of fencedBlocks(markdown)) prose = prose.replace(text, () => '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
}

t.test('links lead to files and headings that there are', async (t) => {
  let links = 0;
  for (const document of documents) {
    for (const link of linksOf(await readFile(path.join(root, document), 'utf8'))) {
      links++;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path.join(root, document) : path.join(root, path.dirname(document), file);
      t.ok(existsSync(target), `${document}: ${link}`);
      if (anchor === undefined || !existsSync(target)) continue;
      t.ok(anchorsOf(await readFile(target, 'utf8')).includes(anchor), `${document}: ${link} is a heading`);
    }
  }
  t.ok(links > 100, `${links} links`);
});

t.test('docs/README.md leads to every document', async (t) => {
  const index = linksOf(await readFile(path.join(root, 'docs/README.md'), 'utf8'));
  for (const document of globSync('docs/*.md', { cwd: root })) {
    const name = path.basename(document);
    if (name !== 'README.md') t.ok(index.includes(name), name);
  }
});
