/**
 * Writes what README.md, .env.example and the Helm chart say about the settings from the schema in src/config.ts:
 *
 *   node scripts/settings-docs.ts
 */
import { readFile, writeFile } from 'node:fs/promises';
import { EnvSchema, LIST_RULES } from '../src/config.ts';
import { withSettingsList, withSettingsSchema } from './chart-settings.ts';

interface Described {
  readonly type?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
}

const settings = Object.entries(EnvSchema.properties as Record<string, Described>);

/** What a setting may be, in words. */
export function rangeOf(name: string, { type, minimum, maximum, enum: choices }: Described): string {
  const code = (value: unknown): string => `\`${String(value)}\``;
  const rule = LIST_RULES.find(([setting]) => setting === name)?.[2];
  if (rule !== undefined) return rule.replace(/^must be /, '');
  if (choices !== undefined) return choices.map(code).join(', ');
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'string') return 'text';
  if (minimum === undefined) return 'a number';
  return maximum === undefined ? `${code(minimum)} or more` : `${code(minimum)} to ${code(maximum)}`;
}

/** The table between README's two `settings` comments. */
export function settingsTable(): string {
  const rows = settings.map(([name, setting]) => {
    const { default: value, description = '' } = setting;
    const shown = value === '' ? '' : `\`${String(value)}\``;
    return `| \`${name}\` | ${shown} | ${rangeOf(name, setting)} | ${description} |`;
  });
  return ['| variable | default | range | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** `.env.example`: every setting, commented out, with its default. */
export function envExample(): string {
  const blocks = settings.map(
    ([name, { default: value, description = '' }]) => `# ${description}\n#${name}=${String(value)}\n`,
  );
  return ['# Copy to .env and uncomment what you want to change.\n', ...blocks].join('\n');
}

const BETWEEN = /(<!-- settings: .*? -->\n\n)[\s\S]*?(\n*<!-- \/settings -->)/;

/** README with the table as it has to be. */
export function withSettings(readme: string): string {
  return readme.replace(BETWEEN, (_all, before: string) => `${before}${settingsTable()}\n\n<!-- /settings -->`);
}

if (import.meta.main) {
  const rewrite = async (name: string, change: (text: string) => string): Promise<void> => {
    const file = new URL(`../${name}`, import.meta.url);
    await writeFile(file, change(await readFile(file, 'utf8')));
  };
  await rewrite('README.md', withSettings);
  await rewrite('deploy/helm/general-ocr/values.yaml', withSettingsList);
  await rewrite('deploy/helm/general-ocr/values.schema.json', withSettingsSchema);
  await writeFile(new URL('../.env.example', import.meta.url), envExample());
}
