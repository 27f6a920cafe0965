import { EnvSchema } from '../src/config.ts';

/** Settings that are secrets: the chart passes them from a Secret and takes none of them as a plain value. */
export const SECRET_SETTINGS: readonly string[] = ['OCR_API_KEYS', 'OCR_REDIS_URL', 'OCR_JOBS_WEBHOOK_SECRET'];

interface Described {
  readonly default?: unknown;
  readonly description?: string;
}

const settings = Object.entries(EnvSchema.properties as Record<string, Described>).filter(
  ([name]) => !SECRET_SETTINGS.includes(name),
);

const BLOCK = /(# settings: written by npm run settings-docs\n)[\s\S]*?(# \/settings\n)/;

/** values.yaml of the chart with every setting and its default as a comment below `config`. */
export function withSettingsList(valuesYaml: string): string {
  const lines = settings.map(([name, { default: value, description = '' }]) => {
    const shown = typeof value === 'string' ? `'${value}'` : String(value);
    return `#   # ${description}\n#   ${name}: ${shown}\n`;
  });
  return valuesYaml.replace(BLOCK, (_all, begin: string, end: string) => `${begin}${lines.join('')}${end}`);
}

/**
 * values.schema.json of the chart with the settings of src/config.ts, their types and ranges as `config`. Defaults are left
 * out: the service has them, and a schema's are only read by people.
 */
export function withSettingsSchema(schemaJson: string): string {
  const schema = JSON.parse(schemaJson) as { properties: Record<string, unknown> };
  const properties = settings.map(([name, described]) => {
    const rules = Object.entries(described).filter(([keyword]) => keyword !== 'default');
    return [name, Object.fromEntries(rules)] as const;
  });
  schema.properties.config = {
    type: 'object',
    additionalProperties: false,
    description: 'Settings of the service. Written by npm run settings-docs.',
    properties: Object.fromEntries(properties),
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
