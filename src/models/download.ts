import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ModelPackError } from './model-pack-error.ts';
import { sha256OfFile } from './sha256.ts';

/** Longest wait for the first byte and between two chunks. A mirror that thinks longer is not going to deliver. */
const IDLE_TIMEOUT_MS = 30_000;

/** Bound for files whose size the manifest does not give; the largest known model of this family has about 100 MB. */
const MAX_UNKNOWN_BYTES = 512 * 1024 * 1024;

export interface Download {
  readonly url: string;
  /** Where the file goes. Beside it, `<target>.part` holds what has arrived so far. */
  readonly target: string;
  readonly sha256: string;
  /** Exact size, where known. */
  readonly bytes?: number;
  /** Called with each chunk: bytes that are there, and the total if the server told it. */
  readonly onProgress?: (received: number, total: number | undefined) => void;
  readonly idleTimeoutMs?: number;
}

/**
 * Fetches one file over HTTP. It goes on where an interrupted run stopped (HTTP Range on the `.part` file), and the target
 * appears in one step, only when the SHA-256 is right: a reader never sees half a file.
 *
 * @throws {ModelPackError} `FETCH_FAILED` when the address is not reached, answers something else or breaks off (the `.part`
 *   file stays for the next try); `DAMAGED` when what came is another file (the `.part` file is removed)
 */
export async function download(file: Download): Promise<void> {
  const part = `${file.target}.part`;
  await mkdir(path.dirname(file.target), { recursive: true });
  const resumed = (await sizeOf(part)) > 0;
  await receive(file, part);
  try {
    await putInPlace(part, file);
  } catch (error) {
    // What was left of an earlier run may be of another file (a mirror was mended); only a whole new file tells.
    if (!resumed) throw error;
    await receive(file, part);
    await putInPlace(part, file);
  }
}

/**
 * Moves a complete file to its place if it is the expected one.
 *
 * @throws {ModelPackError} `DAMAGED` when it is not; it is removed, as no later run could use it
 */
export async function putInPlace(
  part: string,
  expected: { target: string; sha256: string; url: string },
): Promise<void> {
  const actual = await sha256OfFile(part);
  if (actual !== expected.sha256) {
    await rm(part, { force: true });
    throw new ModelPackError(
      'DAMAGED',
      `${expected.url} is not the file that the manifest names: SHA-256 ${actual ?? '(no file)'} instead of ${expected.sha256}. Nothing was kept; try another source with --from.`,
    );
  }
  await rename(part, expected.target);
}

async function receive(file: Download, part: string): Promise<void> {
  const idleTimeoutMs = file.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
  const abort = new AbortController();
  const idle = setTimeout(() => {
    abort.abort(new Error(`nothing came for ${idleTimeoutMs / 1000} s`));
  }, idleTimeoutMs);
  let handle: FileHandle | undefined;
  try {
    const have = await sizeOf(part);
    // A complete `.part` is left when a run was ended between the last chunk and the rename.
    if (have > 0 && have === file.bytes) return;
    const response = await fetch(file.url, {
      signal: abort.signal,
      // `identity`: a range of a compressed representation would not be a range of the file.
      headers: { 'accept-encoding': 'identity', ...(have > 0 ? { range: `bytes=${have}-` } : {}) },
    });
    if (response.status === 416 && have > 0) {
      // Nothing follows what is there: it is complete (then the hash is right) or of another file (then it is removed).
      await response.body?.cancel();
      return;
    }
    const from = startOf(response, have);
    if (from === undefined || !response.body) {
      await response.body?.cancel();
      throw new Error(`the answer was HTTP ${response.status} ${response.statusText}`.trimEnd());
    }
    handle = await open(part, from > 0 ? 'a' : 'w');
    await append(response.body, handle, file, from, totalOf(response, from), () => idle.refresh());
    await handle.sync();
  } catch (error) {
    throw new ModelPackError('FETCH_FAILED', `${file.url} was not fetched: ${reasonOf(error)}.`, { cause: error });
  } finally {
    clearTimeout(idle);
    await handle?.close();
  }
}

async function append(
  body: AsyncIterable<Uint8Array>,
  handle: FileHandle,
  file: Download,
  from: number,
  total: number | undefined,
  onChunk: () => void,
): Promise<void> {
  const limit = file.bytes ?? MAX_UNKNOWN_BYTES;
  let received = from;
  for await (const chunk of body) {
    onChunk();
    received += chunk.length;
    if (received > limit) throw new Error(`more than the expected ${limit} bytes came`);
    await handle.appendFile(chunk);
    file.onProgress?.(received, total);
  }
  if (total !== undefined && received < total)
    throw new Error(`the connection ended after ${received} of ${total} bytes`);
}

/** Offset in the file at which the body of the answer begins; undefined when it cannot be used. */
function startOf(response: Response, have: number): number | undefined {
  if (response.status === 200) return 0;
  if (response.status !== 206) return undefined;
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  return Number(start) === have ? have : undefined;
}

function totalOf(response: Response, from: number): number | undefined {
  const length = response.headers.get('content-length');
  return length === null ? undefined : from + Number(length);
}

async function sizeOf(file: string): Promise<number> {
  const stats = await stat(file).catch(() => undefined);
  return stats?.size ?? 0;
}

/** The innermost message: `fetch failed` alone tells nobody anything, its cause names the host and the error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error && error.cause.message !== '') return error.cause.message;
  return error.message;
}
