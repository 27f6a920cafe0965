import { type Config, EnvSchema } from '../config.ts';
import { withoutSecrets } from '../http/log.ts';
import { type CommandContext, writeLine } from './context.ts';
import { EXIT_STATUS, type ExitStatus } from './exit-status.ts';
import { checkSettings } from './settings-check.ts';

/** Options of `general-ocr config`. */
export interface ConfigArguments {
  readonly json?: true;
}

/** A setting as it may be shown to anyone. */
export interface ShownSetting {
  readonly name: string;
  readonly value: unknown;
  readonly from: 'default' | 'environment';
}

/** What stands in a setting with such a name is for nobody's eyes. */
const SECRET_NAME = /KEY|SECRET|TOKEN|PASSWORD/;

/**
 * `general-ocr config`: every setting with its value as the service would use it and where that comes from, or every fault.
 * Secrets are hidden: those that their name tells, and what an address carries of user, password and query.
 */
export async function showConfig(options: ConfigArguments, context: CommandContext): Promise<ExitStatus> {
  const { env, stdout, stderr } = context;
  const { config, faults, strangers } = await checkSettings(env);
  const settings = shownSettings(config, env);
  if (options.json) {
    const values = Object.fromEntries(settings.map(({ name, value, from }) => [name, { value, from }]));
    await writeLine(stdout, JSON.stringify({ settings: values, faults, strangers }, undefined, 2));
  } else if (faults.length === 0) {
    const width = Math.max(...settings.map(({ name }) => name.length));
    for (const { name, value, from } of settings) {
      const mark = from === 'environment' ? '*' : ' ';
      await writeLine(
        stdout,
        `${mark} ${name.padEnd(width)}  ${Array.isArray(value) ? value.join(',') : String(value)}`,
      );
    }
  }
  for (const stranger of strangers) await writeLine(stderr, `Note: ${stranger}.`);
  if (faults.length === 0) return EXIT_STATUS.done;
  if (!options.json) await writeLine(stderr, `The settings are not valid:\n${faults.join('\n').replace(/^/gm, '  ')}`);
  return EXIT_STATUS.usage;
}

/** The settings in the order of the schema. */
export function shownSettings(config: Config, env: CommandContext['env']): ShownSetting[] {
  const names = Object.keys(EnvSchema.properties) as (keyof Config)[];
  return names.map((name) => ({
    name,
    value: shown(name, config[name]),
    from: (env[name] ?? '') === '' ? 'default' : 'environment',
  }));
}

function shown(name: string, value: unknown): unknown {
  const empty = value === '' || (Array.isArray(value) && value.length === 0);
  if (SECRET_NAME.test(name) && !empty) return Array.isArray(value) ? `(${value.length} hidden)` : '(hidden)';
  return typeof value === 'string' ? withoutSecrets(value) : value;
}
