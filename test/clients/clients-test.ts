/**
 * The clients against the real service: types that are current, their checks and tests, and the example of each README,
 * run as it is after the README's own installation, in an empty folder.
 *
 *   node test/clients/clients-test.ts [typescript | python]
 *
 * Needs npm and PyPI, or mirrors of them; PYTHON names the interpreter (default `python3`, with venv), PYTHON_OLDEST one of the
 * oldest version that the client promises, 3.9.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { differs, fencedBlocks } from '../docs/markdown.ts';
import { startService } from '../running-service.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const KEY = 'key-of-the-clients-test';
/** Most time of one step: installing, building or testing. */
const STEP_TIMEOUT_MS = 300_000;

let passed = 0;
let failed = 0;

/** Runs a step and counts it; gives what it printed, or undefined if it failed. */
async function step(what: string, work: () => Promise<string>): Promise<string | undefined> {
  try {
    const output = await work();
    passed++;
    process.stdout.write(`ok ${what}\n`);
    return output;
  } catch (error) {
    failed++;
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    process.stdout.write(`NOT OK ${what}: ${String(error)}\n${stdout}${stderr}`);
    return undefined;
  }
}

const work = await mkdtemp(path.join(tmpdir(), 'general-ocr-clients-'));
const service = await startService({ OCR_API_KEYS: KEY });
const env: NodeJS.ProcessEnv = { ...process.env, GENERAL_OCR_URL: service.url, GENERAL_OCR_API_KEY: KEY };

const run = (cwd: string, program: string, ...args: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(program, args, { cwd, env, timeout: STEP_TIMEOUT_MS, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(Object.assign(new Error(error.message), { stdout, stderr }));
    });
  });

/** The only block of a language in a README. */
async function onlyBlock(readme: string, language: string): Promise<string> {
  const blocks = fencedBlocks(await readFile(readme, 'utf8')).filter((block) => block.language === language);
  if (blocks.length !== 1) throw new Error(`${readme} has ${blocks.length} blocks of ${language}, not one`);
  return blocks[0].text;
}

/**
 * The README's example in `folder`, where the client is installed: its output, and the file that it writes; then the one of
 * docs/tutorial.md, which is run where `docs` is.
 *
 * @param language of the examples' blocks
 * @param runFile runs a program in `folder`, given as its text, and gives what it prints
 */
async function examples(
  client: string,
  folder: string,
  language: string,
  runFile: (program: string) => Promise<string>,
): Promise<void> {
  await copyFile(path.join(ROOT, 'docs/images/sample.png'), path.join(folder, 'sample.png'));
  await symlink(path.join(ROOT, 'docs'), path.join(folder, 'docs'));
  await step(`${client}: the example of README.md prints what it says`, async () => {
    const output = await runFile(await onlyBlock(path.join(ROOT, 'clients', client, 'README.md'), language));
    const difference = differs(await onlyBlock(path.join(ROOT, 'clients', client, 'README.md'), 'text'), output);
    if (difference !== undefined) throw Object.assign(new Error(difference), { stdout: output });
    if ((await stat(path.join(folder, 'sample.pdf'))).size < 10_000) throw new Error('sample.pdf is too small');
    return output;
  });
  await step(`${client}: the example of docs/tutorial.md prints what it says`, async () => {
    const blocks = fencedBlocks(await readFile(path.join(ROOT, 'docs/tutorial.md'), 'utf8'));
    const at = blocks.findIndex((block) => block.language === language);
    if (at === -1 || !blocks[at + 1]?.isAnswer) throw new Error(`docs/tutorial.md has no example in ${language}`);
    const output = await runFile(blocks[at].text);
    const difference = differs(blocks[at + 1].text, output);
    if (difference !== undefined) throw Object.assign(new Error(difference), { stdout: output });
    return output;
  });
}

async function typescript(): Promise<void> {
  const client = path.join(ROOT, 'clients/typescript');
  const readme = path.join(client, 'README.md');
  if ((await step('typescript: npm ci', () => run(client, 'npm', 'ci'))) === undefined) return;
  await step('typescript: the types are current (npm run generate)', () => run(client, 'npm', 'run', 'generate:check'));
  await step('typescript: types fit', () => run(client, 'npm', 'run', 'typecheck'));
  await step('typescript: tests', () => run(client, 'npm', 'test'));
  await step('typescript: tests against the service', () => run(client, 'npm', 'run', 'test:service'));

  const folder = await mkdtemp(path.join(work, 'typescript-'));
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const installed = await step('typescript: the installation of README.md', async () => {
    // Its paths are those of a checkout; the program that uses the client is elsewhere.
    const [pack = '', install = ''] = (await onlyBlock(readme, 'sh')).split('\n');
    await run(ROOT, 'bash', '-ec', pack);
    return run(folder, 'bash', '-ec', install.replace('./clients', path.join(ROOT, 'clients')));
  });
  if (installed === undefined) return;
  await writeFile(path.join(folder, 'example.ts'), await onlyBlock(readme, 'ts'));
  const compiler = path.join(client, 'node_modules/.bin/tsc');
  const types = ['--typeRoots', path.join(client, 'node_modules/@types'), '--types', 'node'];
  await step('typescript: the types of the example fit', () =>
    run(folder, compiler, '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', ...types, 'example.ts'),
  );
  await examples('typescript', folder, 'ts', async (program) => {
    await writeFile(path.join(folder, 'example.ts'), program);
    return run(folder, process.execPath, 'example.ts');
  });
  await step('typescript: nothing is installed but the client', async () => {
    const packages = (await readdir(path.join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    if (packages.join() !== 'general-ocr-client') throw new Error(packages.join());
    return '';
  });
}

async function python(): Promise<void> {
  const client = path.join(ROOT, 'clients/python');
  const readme = path.join(client, 'README.md');
  const folder = await mkdtemp(path.join(work, 'python-'));
  const tool = (name: string): string => path.join(folder, 'venv/bin', name);
  const make = (): Promise<string> => run(folder, process.env.PYTHON ?? 'python3', '-m', 'venv', 'venv');
  if ((await step('python: venv', make)) === undefined) return;
  env.PATH = `${path.dirname(tool('pip'))}:${env.PATH ?? ''}`;
  const install = async (): Promise<string> => run(ROOT, 'bash', '-ec', await onlyBlock(readme, 'sh'));
  if ((await step('python: the installation of README.md', install)) === undefined) return;
  await examples('python', folder, 'python', (program) => run(folder, tool('python'), '-c', program));

  // Everything from here on has the development tools beside it.
  if ((await step('python: tools', () => run(client, tool('pip'), 'install', '-q', '-e', '.[dev]'))) === undefined)
    return;
  await step('python: the types are current (generate.sh)', async () => {
    await run(client, './generate.sh', path.join(folder, 'answers.py'));
    return run(client, 'diff', 'src/general_ocr/answers.py', path.join(folder, 'answers.py'));
  });
  await step('python: ruff', () => run(client, tool('ruff'), 'check', '.'));
  await step('python: ruff format', () => run(client, tool('ruff'), 'format', '--check', '.'));
  await step('python: mypy', () => run(client, tool('mypy'), 'src', 'tests'));
  await step('python: the types of the example fit', async () =>
    run(folder, tool('mypy'), '--strict', '-c', await onlyBlock(readme, 'python')),
  );
  await step('python: nothing in it needs more than Python 3.9', () =>
    run(client, tool('vermin'), '-t=3.9-', '--eval-annotations', '--backport', 'typing_extensions', '--no-tips', 'src'),
  );
  await step('python: tests', () => run(client, tool('pytest'), '-q', 'tests'));
  await step('python: tests against the service', () => run(client, tool('pytest'), '-q', 'tests/against_service.py'));
  const oldest = process.env.PYTHON_OLDEST;
  if (oldest === undefined) process.stdout.write('left out: Python 3.9 (PYTHON_OLDEST names none)\n');
  else await oldestPython(oldest);
}

/** What the tests need, as the oldest Python has it. */
const OLDEST_TOOLS = ['pytest==8.4.2', 'trio==0.31.0', 'PyYAML==6.0.3'];

async function oldestPython(interpreter: string): Promise<void> {
  const client = path.join(ROOT, 'clients/python');
  const folder = await mkdtemp(path.join(work, 'oldest-'));
  const tool = (name: string): string => path.join(folder, 'venv/bin', name);
  const installed = await step('python: installation on the oldest Python', async () => {
    await run(folder, interpreter, '-m', 'venv', 'venv');
    await run(folder, tool('python'), '-c', 'import sys; assert sys.version_info[:2] == (3, 9), sys.version');
    return run(folder, tool('pip'), 'install', '-q', client, ...OLDEST_TOOLS);
  });
  if (installed === undefined) return;
  await step('python: tests on the oldest Python', () => run(client, tool('pytest'), '-q', 'tests'));
  await step('python: tests against the service on the oldest Python', () =>
    run(client, tool('pytest'), '-q', 'tests/against_service.py'),
  );
}

const CLIENTS: Readonly<Record<string, () => Promise<void>>> = { typescript, python };
const asked = process.argv.slice(2);
try {
  for (const [name, test] of Object.entries(CLIENTS)) if (asked.length === 0 || asked.includes(name)) await test();
} finally {
  await service.stop();
  await rm(work, { recursive: true });
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
