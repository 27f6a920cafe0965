import t from 'tap';
import { commandsOf, differs, fencedBlocks, mentionedCommands } from './markdown.ts';

t.test('blocks, their languages, and which is the answer of which', async (t) => {
  const markdown = 'a\n\n  ```sh\none\n  ```\n\n<!-- the answer -->\n\n```json\n[1]\n```\n\n```\nplain\n```\n';
  t.strictSame(
    fencedBlocks(markdown).map(({ language, text, line, isAnswer }) => [language, text, line, isAnswer]),
    [
      ['sh', 'one', 3, false],
      ['json', '[1]', 9, true],
      ['', 'plain', 13, false],
    ],
  );
  t.throws(() => fencedBlocks('```sh\nnever closed'), /does not end/);
});

t.test('commands of a block and of the text', async (t) => {
  t.strictSame(commandsOf('# first\ncurl -s a \\\n  -F b\n\nnpm test # last'), ['curl -s a -F b', 'npm test # last']);
  const markdown = 'Run `npm run x`, or\n`docker\nrun y`; not `npm`.\n\n```sh\necho `npm run z`\n```\n\nand `curl z`';
  t.strictSame(mentionedCommands(markdown), ['npm run x', 'docker run y', 'curl z']);
});

t.test('what is shown and what is printed', async (t) => {
  t.equal(differs('[ {"a": 12} ]', '[{"a":13}]\n'), undefined, 'space and two pixels do not count');
  t.match(differs('[{"a": 12}]', '[{"a":15}]'), /is not next/);
  t.equal(differs('0.9978', '0.97'), undefined, 'a score may be a little lower');
  t.match(differs('0.9978', '0.5'), /is not next/);
  t.match(differs('text', 'text and more'), /is not next/);
  t.match(differs('text and more', 'text'), /is not next/);
  t.equal(differs('{"a": 1, … "z": 9}', '{"a":1,"b":"…","z":9}'), undefined);
  t.equal(differs('…end', 'the end'), undefined);
  t.equal(differs('start…', 'start'), undefined);
  t.match(differs('a … b … a', 'a x a'), /"b" is not next/);
  t.match(differs('2026-0815', '2026-0818'), /is not next/);
});
