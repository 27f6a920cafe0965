import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { EXIT_STATUS } from '../../src/cli/exit-status.ts';
import { createProgram } from '../../src/cli/program.ts';
import { generalOcr, startGeneralOcr } from './general-ocr.ts';

const root = new URL('../../', import.meta.url);

t.test('wrong usage ends with 2, says what is wrong, and writes no result', async (t) => {
  const rows: [string[], RegExp][] = [
    [[], /^Usage: general-ocr/],
    [['reed'], /unknown command 'reed'\n\(Did you mean read\?\)/],
    [['read'], /missing required argument 'picture'/],
    [['doctor', 'x'], /too many arguments/],
    [['config', '--jsn'], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
  ];
  for (const [args, expected] of rows) {
    const { status, stdout, stderr } = await generalOcr(args);
    t.equal(status, EXIT_STATUS.usage, args.join(' '));
    t.equal(stdout, '');
    t.match(stderr, expected);
  }
});

t.test('help and version are results', async (t) => {
  const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };
  t.match(await generalOcr(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
  t.match(await generalOcr(['--help']), { status: 0, stdout: /^Usage: general-ocr [^]*\n {2}130 {2}/, stderr: '' });
  t.match(await generalOcr(['help', 'read']), { status: 0, stdout: /^Usage: general-ocr read /, stderr: '' });
});

t.test('the image takes every command without its name', async (t) => {
  const { env } = process;
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const program = createProgram(
    { env, ...streams, serve: async () => undefined, work: async () => undefined },
    () => undefined,
  );
  const script = await readFile(new URL('docker/general-ocr-entrypoint', root), 'utf8');
  const [, listed = ''] = /^ +([a-z |]+) \| -\*\)/m.exec(script) ?? [];
  t.strictSame(listed.split(' | ').sort(), [...program.commands.map((command) => command.name()), 'help'].sort());
});

t.test('the image runs what it is given, and commands as general-ocr', async (t) => {
  const bin = t.testdir({ 'general-ocr': '#!/bin/sh\necho general-ocr "$@"\n' });
  await chmod(`${bin}/general-ocr`, 0o755);
  const rows: [string[], string][] = [
    [['read', 'a b.png', '-f', 'json'], 'general-ocr read a b.png -f json'],
    [['--help'], 'general-ocr --help'],
    [['general-ocr', 'doctor'], 'general-ocr doctor'],
    [['echo', 'read'], 'read'],
  ];
  for (const [args, expected] of rows) {
    const env = { PATH: `${bin}:${process.env.PATH ?? ''}` };
    const child = spawn('sh', [fileURLToPath(new URL('docker/general-ocr-entrypoint', root)), ...args], { env });
    t.equal((await text(child.stdout)).trim(), expected);
  }
});

t.test('serve: the service, until SIGTERM', async (t) => {
  const child = startGeneralOcr(['serve'], { env: { HOST: '127.0.0.1', PORT: '0', OCR_ENGINE_PROCESSES: '1' } });
  const exited = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  if (child.stdout === null) throw new Error('no standard output');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listening at (http:[\w/.:]+)/.exec(line)?.[1];
    if (url === undefined) continue;
    t.equal((await fetch(`${url}/health/live`)).status, 200);
    break;
  }
  child.kill('SIGTERM');
  t.strictSame(await exited, [0, null]);
});

t.test('serve with faulty settings ends with 2', async (t) => {
  t.match(await generalOcr(['serve'], { env: { PORT: 'x' } }), {
    status: 2,
    stdout: '',
    stderr: /PORT must be integer/,
  });
});

t.test('an old Node gets a sentence', async (t) => {
  const launcher = await readFile(new URL('bin/general-ocr.js', root), 'utf8');
  const old = launcher.replaceAll('process.versions.node', '"20.1.0"').replaceAll('import.meta.url', '""');
  const child = spawn(process.execPath, ['--input-type=module', '-e', old.replace(/^#!.*/, '')]);
  const [[status], [said]] = await Promise.all([once(child, 'exit'), once(child.stderr, 'data')]);
  t.equal(status, 2);
  t.match(String(said), /^general-ocr needs Node 24 or later/);
});

t.test('worker: without a queue it says what is missing', async (t) => {
  t.match(await generalOcr(['worker']), { status: 2, stdout: '', stderr: /OCR_REDIS_URL is not set/ });
});
