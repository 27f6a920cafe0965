import { readFile } from 'node:fs/promises';
import t from 'tap';
import { EnvSchema } from '../../src/config.ts';

const read = (name: string): Promise<string> => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
const NAME = /`((?:OCR_[A-Z_0-9]+)|PORT|HOST|LOG_LEVEL)`/g;
/** A variable of the tool that fetches model packs, and of files with keys; not settings of the service. */
const OTHERS = ['OCR_MODELS_BASE_URL', 'OCR_API_KEYS_FILE'];

t.test('docs/settings.md names every setting among those that belong together', async (t) => {
  const groups = (await read('settings.md')).split('## Which ones')[1] ?? '';
  const named = new Set([...groups.matchAll(NAME)].map(([, name]) => name));
  t.strictSame([...named].sort(), Object.keys(EnvSchema.properties).sort());
});

t.test('no document names a setting that there is not', async (t) => {
  for (const document of [
    'settings.md',
    'tuning.md',
    'migrating.md',
    'errors.md',
    'api.md',
    'tutorial.md',
    'formats.md',
  ]) {
    const names = [...(await read(document)).matchAll(NAME)].map(([, name = '']) => name);
    const unknown = names.filter((name) => !(name in EnvSchema.properties) && !OTHERS.includes(name));
    t.strictSame(unknown, [], document);
  }
});
