import net from 'node:net';
import { envSchema } from 'env-schema';
import Type, { type Static } from 'typebox';
import { availableCpus } from './available-cpus.ts';
import { BUNDLED_MODELS_DIR } from './package-files.ts';
import { readSettingFiles } from './secret-files.ts';

/**
 * Every environment variable of the service, once: defaults, limits and the text of README's settings table
 * (`test/config.test.ts` compares them). Lists are comma-separated.
 */
export const EnvSchema = Type.Object({
  PORT: Type.Integer({ default: 8080, minimum: 0, maximum: 65535, description: 'Port to listen on.' }),
  HOST: Type.String({ default: '0.0.0.0', description: 'Address to listen on.' }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'Lowest level that is logged: fatal, error, warn, info, debug, trace or silent.',
  }),
  OCR_MODEL_PACK: Type.String({ default: 'pp-ocrv6-small-int8', description: 'Model pack to load (see `models/`).' }),
  OCR_MODELS_DIR: Type.String({ default: '', description: 'Folder of the model packs; empty: the bundled one.' }),
  OCR_ENGINE_PROCESSES: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 256,
    description: 'Engine processes, one page each at a time; 0: one for each CPU that the container really gets.',
  }),
  OCR_ENGINE_MEMORY_MB: Type.Integer({
    default: 1024,
    minimum: 256,
    description: 'Resident memory at which an engine process is replaced between two pages.',
  }),
  OCR_QUEUE_LENGTH: Type.Integer({
    default: 32,
    minimum: 0,
    maximum: 10_000,
    description: 'Requests that may wait for an engine process; one more is answered 429.',
  }),
  OCR_REQUEST_TIMEOUT_MS: Type.Integer({
    default: 30_000,
    minimum: 100,
    description: 'Total time of a request after its body has arrived: fetching, waiting and reading.',
  }),
  OCR_PAGE_TIMEOUT_MS: Type.Integer({
    default: 15_000,
    minimum: 100,
    description: 'Time one page may spend in an engine process before that process is killed.',
  }),
  OCR_FETCH_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 100,
    description: 'Total time for fetching the image of `url`, redirects and body included.',
  }),
  OCR_BODY_TIMEOUT_MS: Type.Integer({
    default: 30_000,
    minimum: 100,
    description: 'Time a client has to send its whole request.',
  }),
  OCR_MAX_IMAGE_BYTES: Type.Integer({
    default: 52_428_800,
    minimum: 1024,
    description: 'Largest image file (the default holds a 4096 x 4096 24-bit BMP).',
  }),
  OCR_MAX_SIDE: Type.Integer({
    default: 4096,
    minimum: 32,
    maximum: 16_384,
    description: 'Longest side of an image in pixels.',
  }),
  OCR_MIN_SCORE: Type.Number({
    default: 0.3,
    minimum: 0,
    maximum: 1,
    description:
      'Lines with a lower score are left out of the answer. What reads like noise (mostly under 0.5) never gets that far.',
  }),
  OCR_MORE_FORMATS: Type.Boolean({
    default: true,
    description: 'Take WebP, TIFF, GIF, AVIF and PDF on `/v1/ocr`; `/general_ocr` takes jpg, png and bmp in any case.',
  }),
  OCR_MAX_PAGES: Type.Integer({
    default: 20,
    minimum: 1,
    maximum: 1000,
    description: 'Most pages of a PDF or TIFF that are read for one request, all of them in its total time.',
  }),
  OCR_SOURCE_ALLOW: Type.String({
    default: '',
    description:
      'Private hosts, addresses or networks that `url` may reach, e.g. `files.lan,10.2.0.0/16,minio:9000`; everything else must be a public address.',
  }),
  OCR_URL_PORTS: Type.String({
    default: '80,443',
    description: 'Ports that `url` may use on public addresses.',
  }),
  OCR_S3_BUCKETS: Type.String({
    default: '',
    description: 'Buckets that `s3://` may read; empty: every bucket that the credentials can read.',
  }),
  OCR_S3_ENDPOINT: Type.String({ default: '', description: 'S3-compatible endpoint (MinIO, versitygw); empty: AWS.' }),
  OCR_S3_FORCE_PATH_STYLE: Type.Boolean({
    default: false,
    description: 'Address buckets as a path, as most S3-compatible servers want.',
  }),
  OCR_S3_REGION: Type.String({
    default: '',
    description: 'S3 region; empty: the SDK decides (AWS_REGION, profile), us-east-1 with an endpoint.',
  }),
  OCR_API_KEYS: Type.String({
    default: '',
    description:
      'Keys of which clients must send one as `x-api-key` or `Authorization: Bearer`; empty: open to all. OCR_API_KEYS_FILE names a file with them instead, as every setting may come from a file.',
  }),
  OCR_RATE_LIMIT_PER_MINUTE: Type.Integer({
    default: 0,
    minimum: 0,
    description: 'Requests a minute for each key (without keys: for each client address); 0: unlimited.',
  }),
  OCR_TRUSTED_PROXIES: Type.String({
    default: '',
    description:
      'Addresses or networks of reverse proxies whose `X-Forwarded-For` names the client, e.g. `10.0.0.0/8`; empty: the connection does.',
  }),
  OCR_TRACES_ENDPOINT: Type.String({
    default: '',
    description:
      'Where an OpenTelemetry collector takes traces (OTLP over HTTP), e.g. `http://collector:4318/v1/traces`; empty: none are made.',
  }),
  OCR_TRACES_RATIO: Type.Number({
    default: 1,
    minimum: 0,
    maximum: 1,
    description: 'Share of requests that are traced where the caller has not decided (`traceparent`).',
  }),
  OCR_REDIS_URL: Type.String({
    default: '',
    description:
      'Redis or Valkey that keeps the jobs of `/v1/jobs`, e.g. `redis://user:password@valkey:6379/0` (`rediss://` with TLS); empty: there are no jobs.',
  }),
  OCR_JOBS_OUTPUT_BUCKETS: Type.String({
    default: '',
    description: 'Buckets that jobs may write results into; empty: none, results are kept in the queue.',
  }),
  OCR_JOBS_WEBHOOK_SECRET: Type.String({
    default: '',
    description: 'Signs webhooks (Standard Webhooks: `whsec_` and base64, or any text); empty: jobs may have none.',
  }),
  OCR_WORKER_PORT: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 65535,
    description: 'Port of `/health/live`, `/health/ready` and `/metrics` of `general-ocr worker`; 0: none.',
  }),
  OCR_JOBS_MAX: Type.Integer({
    default: 1000,
    minimum: 1,
    maximum: 100_000,
    description: 'Jobs that have not ended; one more is answered 429.',
  }),
  OCR_JOBS_AHEAD: Type.Integer({
    default: 4096,
    minimum: 1,
    maximum: 1_000_000,
    description:
      'Most pictures of all jobs that are in the queue at a time: 8 for each that the workers read at once, up to this.',
  }),
  OCR_JOBS_TRIES: Type.Integer({
    default: 3,
    minimum: 1,
    maximum: 20,
    description:
      'How often a picture is tried that fails for a reason that may pass, such as a host that does not answer.',
  }),
  OCR_JOBS_MAX_FAILED: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 100_000,
    description: 'Failed pictures after which a job begins no more of them.',
  }),
  OCR_JOBS_MAX_KEPT: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Most pictures of a job whose results are kept in the queue.',
  }),
  OCR_JOBS_KEEP_HOURS: Type.Number({
    default: 72,
    minimum: 0.001,
    maximum: 8760,
    description: 'How long an ended job is kept, with the results that are kept in the queue.',
  }),
  OCR_JOBS_REDIS_MEMORY_MB: Type.Integer({
    default: 512,
    minimum: 16,
    description: 'Memory of Redis above which new jobs are answered 429.',
  }),
  OCR_CORS: Type.String({
    default: '',
    description:
      'Origins whose pages may call the service, e.g. `https://app.example.com,http://localhost:3000`; `*`: every one, as the AWS kit answers; empty: none.',
  }),
  OCR_METRICS: Type.Enum(['open', 'key'], {
    default: 'open',
    description: 'Who may read `/metrics`: `open` to all, or only with a `key` of OCR_API_KEYS.',
  }),
  OCR_DOCS: Type.Boolean({ default: true, description: 'Serve Swagger UI at `/docs`.' }),
  OCR_PAGE: Type.Boolean({ default: true, description: 'Serve the page to try the service with at `/`.' }),
});

export type Env = Static<typeof EnvSchema>;

/** Settings as the rest of the program receives them: parsed lists, resolved defaults. Frozen. */
export interface Config extends Omit<
  Env,
  | 'OCR_SOURCE_ALLOW'
  | 'OCR_URL_PORTS'
  | 'OCR_S3_BUCKETS'
  | 'OCR_API_KEYS'
  | 'OCR_TRUSTED_PROXIES'
  | 'OCR_JOBS_OUTPUT_BUCKETS'
  | 'OCR_CORS'
> {
  readonly OCR_SOURCE_ALLOW: readonly string[];
  readonly OCR_URL_PORTS: readonly number[];
  readonly OCR_S3_BUCKETS: readonly string[];
  readonly OCR_API_KEYS: readonly string[];
  readonly OCR_TRUSTED_PROXIES: readonly string[];
  readonly OCR_JOBS_OUTPUT_BUCKETS: readonly string[];
  /** Origins as browsers write them, or `*` alone. */
  readonly OCR_CORS: readonly string[];
}

/** The environment does not describe a service that can run; `message` lists every fault, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Commas between the items, or lines, as files of secrets have them. */
const list = (text: string): string[] =>
  text
    .split(/[,\r\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');

/** One fault of Ajv, which env-schema hangs on its error as `errors`. */
interface SchemaFault {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: { readonly allowedValues?: readonly string[] };
}

function describeFault(fault: SchemaFault, env: Readonly<Record<string, unknown>>): string {
  const name = fault.instancePath.slice(1);
  const rule =
    fault.params.allowedValues === undefined
      ? (fault.message ?? 'is not valid').replace('must be boolean', 'must be true or false')
      : `must be one of ${fault.params.allowedValues.join(', ')}`;
  return `${name} ${rule}, not ${JSON.stringify(env[name])}`;
}

/** The schema's faults, one a variable and rule. */
function parseEnv(env: Readonly<Record<string, string>>): { parsed: Env } | { faults: string[] } {
  try {
    return { parsed: envSchema<Env>({ schema: EnvSchema, data: { ...env }, env: false }) };
  } catch (error) {
    if (!(error instanceof Error && 'errors' in error && Array.isArray(error.errors))) throw error;
    return { faults: error.errors.map((fault: SchemaFault) => describeFault(fault, env)) };
  }
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

function isNetwork(text: string): boolean {
  const [address, prefix, ...rest] = text.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[net.isIP(address)] ?? -1;
  return (
    bits > 0 && rest.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits))
  );
}

const isHttpAddress = (text: string): boolean => /^https?:\/\/[^\s/]/i.test(text) && URL.canParse(text);
const isRedisAddress = (text: string): boolean => /^rediss?:\/\/[^\s/]/i.test(text) && URL.canParse(text);
/** An origin as browsers send it (RFC 6454, section 6.2): scheme, host and any port of its own; never a path. */
const isOrigin = (text: string): boolean => /^https?:/.test(text) && URL.parse(text)?.origin === text;

/**
 * Rules that a JSON schema cannot say well. They look at the text as it was set, so that all faults come at once. The table of
 * settings shows them without their `must be`.
 */
export const LIST_RULES: readonly [name: keyof Env, holds: (item: string) => boolean, rule: string][] = [
  ['OCR_URL_PORTS', isPort, 'must be port numbers from 1 to 65535, separated by commas'],
  ['OCR_TRACES_ENDPOINT', isHttpAddress, 'must be an address such as http://collector:4318/v1/traces'],
  ['OCR_REDIS_URL', isRedisAddress, 'must be an address such as redis://valkey:6379'],
  ['OCR_TRUSTED_PROXIES', isNetwork, 'must be IP addresses or networks such as 10.0.0.0/8, separated by commas'],
  [
    'OCR_CORS',
    (text) => text === '*' || isOrigin(text),
    'must be `*` or origins such as https://app.example.com, without a path, separated by commas',
  ],
];

/**
 * Validates the environment once and gives the frozen settings.
 *
 * @throws {ConfigError} naming every faulty variable, what it may be and what it is
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const files = readSettingFiles(env, Object.keys(EnvSchema.properties));
  const known: Record<string, string> = {};
  for (const [name, value] of Object.entries(files.env)) {
    // An empty value means "not set": compose files pass unset variables as empty strings.
    if (name in EnvSchema.properties && value !== undefined && value !== '') known[name] = value;
  }
  const result = parseEnv(known);
  const faults = [...files.faults, ...('faults' in result ? result.faults : [])];
  for (const [name, holds, rule] of LIST_RULES) {
    if (!list(known[name] ?? '').every(holds)) faults.push(`${name} ${rule}, not ${JSON.stringify(known[name])}`);
  }
  if (known.OCR_METRICS === 'key' && list(known.OCR_API_KEYS ?? '').length === 0) {
    faults.push('OCR_METRICS is "key", but there are no keys: set OCR_API_KEYS or OCR_API_KEYS_FILE');
  }
  if ('faults' in result || faults.length > 0) throw new ConfigError(faults.join('\n'));

  const { parsed } = result;
  return Object.freeze({
    ...parsed,
    OCR_MODELS_DIR: parsed.OCR_MODELS_DIR || BUNDLED_MODELS_DIR,
    OCR_ENGINE_PROCESSES: parsed.OCR_ENGINE_PROCESSES || availableCpus(),
    OCR_SOURCE_ALLOW: list(parsed.OCR_SOURCE_ALLOW),
    OCR_URL_PORTS: list(parsed.OCR_URL_PORTS).map(Number),
    OCR_S3_BUCKETS: list(parsed.OCR_S3_BUCKETS),
    OCR_API_KEYS: list(parsed.OCR_API_KEYS),
    OCR_TRUSTED_PROXIES: list(parsed.OCR_TRUSTED_PROXIES),
    OCR_JOBS_OUTPUT_BUCKETS: list(parsed.OCR_JOBS_OUTPUT_BUCKETS),
    OCR_CORS: list(parsed.OCR_CORS),
  });
}
