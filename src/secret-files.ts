import { readFileSync } from 'node:fs';

/** Larger than any list of keys or hosts; a path that leads to a device or a picture must not fill the memory. */
const MAX_FILE_BYTES = 65_536;

export interface FromFiles {
  /** The environment with the contents of the files under the plain names. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** One sentence for each variable that could not be read, without anything of its content. */
  readonly faults: readonly string[];
}

function readSetting(path: string): string {
  const bytes = readFileSync(path);
  if (bytes.length > MAX_FILE_BYTES) throw new Error(`has more than ${MAX_FILE_BYTES} bytes`);
  return bytes.toString('utf8').trim();
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
};

/**
 * Lets every setting of `names` come out of a file: `NAME_FILE=/run/secrets/name` stands for `NAME=<content>`, as the
 * official Docker images have it. A secret that is mounted shows neither in `docker inspect` nor in /proc/PID/environ.
 */
export function readSettingFiles(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): FromFiles {
  const read: Record<string, string | undefined> = { ...env };
  const faults: string[] = [];
  for (const name of names) {
    const path = env[`${name}_FILE`];
    if (path === undefined || path === '') continue;
    if (env[name] !== undefined && env[name] !== '') {
      faults.push(`${name} and ${name}_FILE are both set; set one of them`);
      continue;
    }
    try {
      read[name] = readSetting(path);
      // Asked for and empty is a mistake: an empty list of keys would open the service to all.
      if (read[name] === '') faults.push(`${name}_FILE names an empty file: ${path}`);
    } catch (error) {
      faults.push(`${name}_FILE cannot be read (${reasonOf(error)}): ${path}`);
    }
  }
  return { env: read, faults };
}
