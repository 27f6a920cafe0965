import { type Config, ConfigError, EnvSchema, loadConfig } from '../config.ts';
import { imageLoaderOptions } from '../image-loader-options.ts';
import { createImageLoader } from '../source/load-image.ts';
import type { CommandContext } from './context.ts';

/** What the environment says, as far as it can be understood. */
export interface SettingsCheck {
  /** The settings in force; of a faulty one its default. */
  readonly config: Config;
  /** Every fault, each beginning with the name of its variable. With one of them the service does not start. */
  readonly faults: readonly string[];
  /** Variables that look like settings and are none: mistyped, most likely. */
  readonly strangers: readonly string[];
}

/** Read by `general-ocr models` only, so not in the service's schema. */
const OTHER_VARIABLES = new Set(['OCR_MODELS_BASE_URL']);

/** Finds all faults of the settings at once: those of the schema and those that only the users of a setting know. */
export async function checkSettings(env: CommandContext['env']): Promise<SettingsCheck> {
  const faults: string[] = [];
  let sound = env;
  // What the users of settings say comes one at a time, and only once the schema is satisfied.
  for (;;) {
    const found = schemaFaults(sound);
    if (found.length === 0) found.push(...(await sourceFaults(loadConfig(sound))));
    if (found.length === 0) break;
    const faulty = new Set(found.map((fault) => fault.split(' ', 1)[0]));
    const left = Object.fromEntries(Object.entries(sound).filter(([name]) => !faulty.has(name)));
    if (Object.keys(left).length === Object.keys(sound).length) throw new Error(`a fault of no setting: ${found[0]}`);
    faults.push(...found);
    sound = left;
  }
  return { config: loadConfig(sound), faults, strangers: findStrangers(env) };
}

function schemaFaults(env: CommandContext['env']): string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

/** Building the loader checks hosts and addresses; nothing is fetched by it. */
async function sourceFaults(config: Config): Promise<string[]> {
  try {
    const images = createImageLoader(imageLoaderOptions(config));
    await images.close();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function findStrangers(env: CommandContext['env']): string[] {
  const names = Object.keys(EnvSchema.properties);
  const letters = (name: string): string => name.replaceAll('_', '');
  return Object.keys(env)
    .filter((name) => name.startsWith('OCR_') && !names.includes(name) && !OTHER_VARIABLES.has(name))
    .map((name) => {
      const meant = names.find((known) => letters(known) === letters(name));
      return `${name} is no setting${meant === undefined ? '' : `; ${meant} is`}`;
    });
}
