import { readFile } from 'node:fs/promises';
import t from 'tap';
import { withHelp } from '../../scripts/cli-docs.ts';
import { EXIT_STATUS } from '../../src/cli/exit-status.ts';
import { FORMAT_NAMES } from '../../src/cli/result-formats.ts';
import { EnvSchema } from '../../src/config.ts';

const root = new URL('../../', import.meta.url);
const document = await readFile(new URL('docs/command-line.md', root), 'utf8');

t.test('help and exit statuses in docs/command-line.md are those of the command (npm run cli-docs)', async (t) => {
  t.equal(document, withHelp(document));
  t.match(document, '\n| 130 | ended by Ctrl-C', 'the table is there at all');
  t.equal([...document.matchAll(/^\| \d+ \| /gm)].length, Object.keys(EXIT_STATUS).length);
  for (const command of ['read', 'serve', 'doctor', 'config', 'models']) {
    t.match(document, `\`\`\`text\nUsage: general-ocr ${command} [options]`, command);
  }
  t.match(document, FORMAT_NAMES.join(', '));
});

t.test('the settings that it names are settings', async (t) => {
  const names = [...document.matchAll(/`(OCR_[A-Z_]+)`/g)].map(([, name]) => name);
  t.ok(names.length > 5);
  for (const name of names) t.ok(name === 'OCR_MODELS_BASE_URL' || name in EnvSchema.properties, name);
});
