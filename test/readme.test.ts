import { readFile } from 'node:fs/promises';
import t from 'tap';
import { EnvSchema } from '../src/config.ts';
import { ERROR_CODES } from '../src/errors.ts';
import { toContractLine } from '../src/http/contract-line.ts';
import { STATUS_OF_CODE } from '../src/http/error-handler.ts';
import { loadModels, readPage } from '../src/ocr/read-page.ts';
import { envExample, withSettings } from '../scripts/settings-docs.ts';

const root = new URL('../', import.meta.url);
const text = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8');
const readme = await text('README.md');

t.test(
  'the settings table and .env.example are those of src/config.ts (npm run settings-docs writes them)',
  async (t) => {
    t.equal(readme, withSettings(readme));
    t.match(readme, '| `OCR_QUEUE_LENGTH` | `32` | `0` to `10000` |', 'the table is there at all');
    t.match(readme, '| `OCR_URL_PORTS` | `80,443` | port numbers from 1 to 65535, separated by commas |');
    t.equal(await text('.env.example'), envExample());
  },
);

t.test('docker-compose.yml passes every setting on', async (t) => {
  const compose = await text('docker-compose.yml');
  for (const name of Object.keys(EnvSchema.properties)) t.match(compose, new RegExp(`^      ${name}: `, 'm'), name);
});

t.test('the error table has every code with its status, and no other', async (t) => {
  const rows = [...readme.matchAll(/^\| (\d{3}) \| `([A-Z_0-9]+)` \|/gm)].map(([, status, code]) => [
    code,
    Number(status),
  ]);
  t.strictSame(new Map(rows as [string, number][]), new Map(Object.entries(STATUS_OF_CODE)));
  t.equal(rows.length, ERROR_CODES.length);
});

t.test('the commands at the top are scripts of package.json', async (t) => {
  const { scripts } = JSON.parse(await text('package.json')) as { scripts: Record<string, string> };
  for (const [, name = ''] of readme.matchAll(/npm (?:run )?(start|test|models|check)\b/g)) t.ok(scripts[name], name);
});

t.test('the sample answer is what the service answers', async (t) => {
  type Shown = { words: string; location: Record<'top' | 'left' | 'width' | 'height', number>; score: number };
  const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '') as Shown[];
  const models = await loadModels({ modelsDir: new URL('models', root).pathname, modelPack: 'pp-ocrv6-small-int8' });
  const page = await readPage(await readFile(new URL('docs/images/sample.png', root)), { maxSide: 4096 }, models);
  const lines = page.lines.map((line) => toContractLine(line, page));
  t.strictSame(
    lines.map(({ words }) => words),
    shown.map(({ words }) => words),
  );
  // Processors differ in the last bits of float sums, which may move a border by a pixel.
  lines.forEach(({ location, score }, i) => {
    const expected = shown[i] as Shown;
    for (const side of ['top', 'left', 'width', 'height'] as const) {
      t.ok(Math.abs(location[side] - expected.location[side]) <= 2, `${side} of line ${i + 1}`);
    }
    t.ok(Math.abs(score - expected.score) < 0.02, `score of line ${i + 1}`);
  });
});
