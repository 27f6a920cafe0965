import { readFile } from 'node:fs/promises';
import t from 'tap';
import { toDocument } from '../src/formats/document.ts';
import { FORMAT_TRAITS, FORMATS, renderDocument, type Format } from '../src/formats/render-document.ts';
import { V1_OPTION_NAMES } from '../src/http/v1-schemas.ts';
import { loadModels, readPage } from '../src/ocr/read-page.ts';

const root = new URL('../', import.meta.url);
const docs = await readFile(new URL('docs/formats.md', root), 'utf8');

/** The first code block of a section. */
const example = (format: Format): string =>
  new RegExp(`\n### ${format}\n[^]*?\n\`\`\`[a-z]+\n([^]*?)\n\`\`\``).exec(docs)?.[1] ?? 'no example';

/** Stands for a number; in no file. */
const NUMBER = '\u{1f522}';

/** A text as its words and its numbers; white space does not count. */
const split = (text: string): { words: string; numbers: number[] } => {
  const numbers = [...text.matchAll(/-?\d+(\.\d+)?/g)].map(([number]) => Number(number));
  return { words: text.replace(/-?\d+(\.\d+)?/g, NUMBER).replace(/\s+/g, ''), numbers };
};

t.test('the options and formats are those of the service', async (t) => {
  t.strictSame(
    [...docs.matchAll(/^\| `([a-zA-Z]+)` \| (?!`[a-z]+\/)/gm)].map(([, name]) => name),
    [...V1_OPTION_NAMES],
  );
  for (const format of FORMATS) t.match(docs, `| \`${format}\` | \`${FORMAT_TRAITS[format].mediaType}\``);
});

t.test('the examples are what the service answers', async (t) => {
  const models = await loadModels({ modelsDir: new URL('models', root).pathname, modelPack: 'pp-ocrv6-small-int8' });
  const region = { left: 0, top: 100, width: 760, height: 120 };
  const file = await readFile(new URL('docs/images/sample.png', root));
  const document = toDocument([await readPage(file, { maxSide: 4096, characters: true, region }, models)], {
    minScore: 0.3,
  });
  for (const format of ['text', 'markdown', 'tsv', 'hocr', 'alto', 'json'] as const) {
    const answer = String(renderDocument(document, format, { words: false, characters: false }));
    // The JSON example ends early: lines are left out, and times are never the same.
    const shown = format === 'json' ? example(format).split(',\n   …')[0] : example(format);
    const pieces = format === 'hocr' ? shown.split('\n') : [shown];
    let rest = split(answer);
    for (const piece of pieces) {
      const { words, numbers } = split(piece);
      const at = rest.words.indexOf(words);
      t.ok(at >= 0, `${format}: ${piece.slice(0, 60)}`);
      const skipped = rest.words.slice(0, at).split(NUMBER).length - 1;
      // Processors differ in the last bits of float sums, which may move a border by a pixel.
      const off = numbers.map((number, i) => Math.abs(number - (rest.numbers[skipped + i] ?? Infinity)));
      t.ok(Math.max(...off) <= 2, `${format}: numbers are at most ${Math.max(...off)} off`);
      rest = { words: rest.words.slice(at), numbers: rest.numbers.slice(skipped) };
    }
  }
});
