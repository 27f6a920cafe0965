import type { Config } from './config.ts';

/** A setting that makes the service less than docs/security.md promises, and what it gives up. */
export interface WeakenedPromise {
  readonly setting: keyof Config;
  readonly consequence: string;
}

/** The defaults for which the figures of docs/robustness.md were measured. */
const MEASURED = { OCR_MAX_SIDE: 4096, OCR_MAX_IMAGE_BYTES: 52_428_800, OCR_PAGE_TIMEOUT_MS: 15_000 } as const;
const WEB_PORTS: readonly number[] = [80, 443];

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** Said in the log at start, one line each, so that nobody learns of them from an incident. */
export function weakenedPromises(config: Config): WeakenedPromise[] {
  const found: WeakenedPromise[] = [];
  const when = (holds: boolean, setting: keyof Config, consequence: string): void => {
    if (holds) found.push({ setting, consequence });
  };
  when(
    config.OCR_API_KEYS.length === 0 && !isLoopback(config.HOST),
    'OCR_API_KEYS',
    'no keys are set: everybody who reaches the port can use the service',
  );
  when(
    config.OCR_SOURCE_ALLOW.length > 0,
    'OCR_SOURCE_ALLOW',
    `callers reach these through \`url\`, private or not, at any port unless one is named: ${config.OCR_SOURCE_ALLOW.join(', ')}`,
  );
  when(
    config.OCR_URL_PORTS.some((port) => !WEB_PORTS.includes(port)),
    'OCR_URL_PORTS',
    `callers reach more than web servers through \`url\`: ports ${config.OCR_URL_PORTS.join(', ')} of public addresses`,
  );
  when(
    config.OCR_S3_ENDPOINT !== '' && config.OCR_S3_BUCKETS.length === 0,
    'OCR_S3_BUCKETS',
    'no buckets are listed: callers read every object that the credentials of the service can read',
  );
  when(
    config.OCR_CORS.includes('*'),
    'OCR_CORS',
    'every web site may use the service through the browsers of its visitors',
  );
  when(
    config.OCR_TRUSTED_PROXIES.some((network) => network.endsWith('/0')),
    'OCR_TRUSTED_PROXIES',
    'every client may say what its address is, so the rate limit and the addresses in the log mean nothing',
  );
  when(
    config.OCR_MAX_SIDE > MEASURED.OCR_MAX_SIDE,
    'OCR_MAX_SIDE',
    'a picture takes memory and time by the square of its side; what hostile ones take was measured up to 4096',
  );
  when(
    config.OCR_MAX_IMAGE_BYTES > MEASURED.OCR_MAX_IMAGE_BYTES,
    'OCR_MAX_IMAGE_BYTES',
    'the server process may hold four of the largest requests at a time, three times over for moments',
  );
  when(
    config.OCR_PAGE_TIMEOUT_MS > MEASURED.OCR_PAGE_TIMEOUT_MS,
    'OCR_PAGE_TIMEOUT_MS',
    'a picture that hangs its engine process holds it for that long',
  );
  return found;
}
