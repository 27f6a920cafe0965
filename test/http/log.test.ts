import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import t from 'tap';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly line?: number;
  readonly lines?: number;
}

const fixture = fileURLToPath(new URL('fixtures/log-many.ts', import.meta.url));

/**
 * Runs the fixture; its log is read only once it has logged all its lines. The pipe is the shell's, as a container's and a
 * service manager's are: one that blocks the writer, which Node's own do not.
 */
async function logMany(lines: number): Promise<readonly Line[]> {
  const pipeline = 'exec 4<&0; "$0" "$@" </dev/null | { read -r go <&4; cat; }';
  const child = spawn('sh', ['-c', pipeline, process.execPath, fixture, String(lines)], {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const seen: Line[] = [];
  const [stdin, stdout] = child.stdio;
  // A process that the full pipe stops never says that it has logged all.
  await once(child, 'message', { signal: AbortSignal.timeout(20_000) }).finally(() => stdin?.end('go\n'));
  const read = createInterface({ input: stdout as Readable });
  const closed = once(read, 'close');
  let ending = false;
  const end = (): void => {
    if (!ending) child.send('end');
    ending = true;
  };
  read.on('line', (text) => {
    const line = JSON.parse(text) as Line;
    seen.push(line);
    if (line.line === lines - 1 || line.level === 40) end();
  });
  await Promise.all([exited, closed]);
  return seen;
}

t.test('no line is lost, nor out of its order, when the process ends', async (t) => {
  const seen = await logMany(1000);
  t.strictSame(
    seen.map(({ line }) => line),
    [...Array.from({ length: 1000 }, (_, line) => line), undefined],
  );
  t.equal(seen.at(-1)?.msg, 'last');
});

t.test('a log that nobody reads stops nothing and does not grow without end; what is dropped is counted', async (t) => {
  const sent = 40_000; // some 20 MB: more than may wait
  const seen = await logMany(sent);
  const warning = seen.find(({ level }) => level === 40);
  t.match(warning?.msg, /^log lines dropped/);
  const kept = seen.filter(({ msg }) => msg === 'one of many').length;
  t.equal(kept + (warning?.lines ?? 0), sent);
  t.ok(kept > 10_000 && kept < sent, `${kept} kept`);
});
