import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startService } from '../running-service.ts';
import { destinations } from './connections.ts';
import { makeBombs } from './bombs.ts';
import { bodyOf, post, SAMPLE_BODY, type Answer } from './client.ts';
import { milliseconds, Report, tally } from './report.ts';
import { tiledPage } from './tiled-page.ts';

const LARGEST_BOMB_BYTES = 5_000_000;

/** The loopback network, IPv6's included. */
const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** Devices and the kernel's own views: nothing that is written there stays. */
const NO_FILES = /^\/(dev\/(null|tty|urandom)|proc)\b/;

/** Paths that were opened for writing, created, removed or renamed, as strace shows them. */
function written(trace: string): string[] {
  const found: string[] = [];
  for (const line of trace.split('\n')) {
    if (/ = -1 /.test(line)) continue;
    const opened = /\bopen(?:at2?)?\([^"]*"([^"]+)"[^)]*\bO_(?:WRONLY|RDWR|CREAT|TMPFILE)/.exec(line);
    const changed =
      /\b(?:creat|unlink(?:at)?|rename(?:at2?)?|mkdir(?:at)?|symlink(?:at)?|truncate)\([^"]*"([^"]+)"/.exec(line);
    const name = opened?.[1] ?? changed?.[1];
    if (name !== undefined && !NO_FILES.test(name)) found.push(name);
  }
  return found;
}

/** `traffic`: the whole life of the service under strace, with pictures in requests only; needs `strace`. */
export async function run(): Promise<Report> {
  const report = new Report();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'general-ocr-traffic-'));
  const file = path.join(folder, 'trace');
  const calls =
    'trace=network,open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,symlink,symlinkat,truncate';
  // -D: strace runs beside, so that the service keeps its place as our child.
  const service = await startService(
    { OCR_ENGINE_PROCESSES: '1' },
    { under: ['strace', '-D', '-f', '-s', '200', '-e', calls, '-o', file] },
  );
  const bodies = [SAMPLE_BODY, await tiledPage(1600, 1200), bodyOf(Buffer.from('no picture'))];
  bodies.push(
    ...makeBombs()
      .filter((bomb) => bomb.file.length < LARGEST_BOMB_BYTES)
      .map((bomb) => bodyOf(bomb.file)),
  );
  const answers: Answer[] = [];
  for (const body of bodies) answers.push(await post(service.url, body));
  for (const each of ['/', '/docs', '/metrics', '/openapi.json', '/health/ready']) {
    await (await fetch(`${service.url}${each}`)).arrayBuffer();
  }
  report.note(
    `${answers.length} pictures: ${tally(answers.map(({ code }) => code))}; ready after ${milliseconds(service.readyMs)}`,
  );
  report.check('the server ends with 0', (await service.stop()) === 0);
  const trace = readFileSync(file, 'utf8');
  rmSync(folder, { recursive: true });
  report.check(
    `the trace saw the service: ${trace.split('\n').length} calls`,
    /\b(accept4?|bind)\(/.test(trace) && /openat\(/.test(trace),
  );
  const away = destinations(trace).filter(({ address }) => !isLoopback(address));
  report.check(
    `connections to anything but loopback: ${tally(away.map(({ address, port }) => `${address}:${port}`))}`,
    away.length === 0,
  );
  const files = written(trace);
  report.check(`files written: ${tally(files)}`, files.length === 0);
  return report;
}
