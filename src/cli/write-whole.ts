import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Writes a file so that it is there whole or not at all, whatever ends the process or the machine: into a name of its own
 * (`.NAME.PID.part`), to the disk (fsync), then renamed, which POSIX does in one step. Makes the folder.
 *
 * @throws {NodeJS.ErrnoException} of the file system; nothing is left behind then
 */
export async function writeWhole(file: string, data: string | Uint8Array): Promise<void> {
  const folder = path.dirname(file);
  const part = path.join(folder, `.${path.basename(file)}.${process.pid}.part`);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(part, data, { flush: true });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
