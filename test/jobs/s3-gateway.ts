import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { waitFor } from '../robustness/client.ts';
import { freePort } from './redis-server.ts';

/** A real S3 server over a folder: a folder in it is a bucket, a file below that an object. */
export interface S3Gateway {
  readonly folder: string;
  /** What the service needs to reach it. */
  readonly settings: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** VERSITYGW names the program where it is not on the PATH. */
export async function startGateway(): Promise<S3Gateway> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'general-ocr-s3-'));
  const [key, secret] = ['jobs', randomUUID()];
  const port = await freePort();
  const program = process.env.VERSITYGW ?? 'versitygw';
  const gateway = spawn(program, ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder], {
    env: { ...process.env, ROOT_ACCESS_KEY: key, ROOT_SECRET_KEY: secret },
    stdio: 'ignore',
  });
  await once(gateway, 'spawn').catch((error: unknown) => {
    throw new Error(
      `${program} cannot be started (${String(error)}). Install it (go install github.com/versity/versitygw/cmd/versitygw@latest) or name it in VERSITYGW.`,
    );
  });
  const answers = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
  if ((await waitFor(answers, 20_000)) === undefined) throw new Error('versitygw did not answer within 20 s');
  return {
    folder,
    settings: {
      OCR_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      OCR_S3_FORCE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: key,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
    async remove() {
      if (gateway.exitCode === null) {
        gateway.kill();
        await once(gateway, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
