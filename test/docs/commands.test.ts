/**
 * Every command in the shell blocks of README.md and docs/*.md is run, as it is, against the real service, and what a document
 * shows as its answer is compared. What cannot be run here is listed in not-run.ts with the reason. Of those, of the
 * other documents' commands, and of commands named in the text, the syntax, the npm scripts and the files are checked.
 */
import { execFile, spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { SAMPLE } from '../cli/pictures.ts';
import { startService } from '../running-service.ts';
import { commandsOf, differs, fencedBlocks, mentionedCommands, type FencedBlock } from './markdown.ts';
import { NOT_RUN, type NotRun } from './not-run.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The command line's document comes first: its commands write, and what they write is looked at there. */
const RUN = [...new Set(['docs/command-line.md', 'README.md', ...globSync('docs/*.md', { cwd: ROOT }).sort()])];
const CHECKED = [
  'CONTRIBUTING.md',
  'UPGRADING.md',
  'SECURITY.md',
  ...globSync('{bench,models,deploy,clients}/**/README.md', {
    cwd: ROOT,
    exclude: (name) => name === 'node_modules',
  }).sort(),
];
const SHELL = ['sh', 'console', 'bash', 'shell'];
/** Languages of programs, which test/clients/clients-test.ts runs. */
const PROGRAMS = ['ts', 'python'];
/** Ends a command's output on standard output, before its exit status; in no text. */
const MARK = '\u001e';
/** What curl ends with after an HTTP error (`fail-with-body`). */
const CURL_HTTP_ERROR = 22;

/** The documents by their names. */
const documents = new Map<string, string>();
for (const file of [...RUN, ...CHECKED]) documents.set(file, await readFile(path.join(ROOT, file), 'utf8'));
const blocksOf = (file: string): FencedBlock[] => fencedBlocks(documents.get(file) ?? '');
const isShell = ({ language }: FencedBlock): boolean => SHELL.includes(language);

const matches = (rule: NotRun, file: string, command: string): boolean =>
  command.startsWith(rule.command) && (rule.files ?? [file]).includes(file);
const notRun = (file: string, command: string): NotRun | undefined =>
  NOT_RUN.find((rule) => matches(rule, file, command));

/** Whatever else a command may end with when it does what it should. */
function statusesOf(command: string, answer: FencedBlock | undefined): number[] {
  // A machine with little memory is no fault of the command.
  if (command === 'general-ocr doctor') return [0, 1];
  return [answer?.text.includes('"statusCode":') === true ? CURL_HTTP_ERROR : 0];
}

/** A folder like a checkout, and beside it what the documents' commands read and write. */
async function checkout(t: Test, port: string): Promise<{ cwd: string; env: NodeJS.ProcessEnv }> {
  const cwd = t.testdir({
    work: {
      'scan.png': SAMPLE,
      'scan1.png': SAMPLE,
      scans: { '1.jpg': SAMPLE, more: { '2.jpg': SAMPLE } },
    },
    // Documents say localhost:8080; the service is elsewhere. HTTP errors are failures.
    home: { '.curlrc': `connect-to = "localhost:8080:127.0.0.1:${port}"\nfail-with-body\n` },
    bin: {},
  });
  const work = path.join(cwd, 'work');
  for (const name of ['docs', 'models', 'node_modules', 'package.json', 'scripts', 'src', 'clients', 'openapi.yaml']) {
    await symlink(path.join(ROOT, name), path.join(work, name));
  }
  const command = path.join(cwd, 'bin/general-ocr');
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${path.join(ROOT, 'bin/general-ocr.js')}" "$@"\n`);
  await chmod(command, 0o755);
  const settings = Object.entries(process.env).filter(([name]) => !name.startsWith('OCR_'));
  const env = {
    ...Object.fromEntries(settings),
    PATH: [path.dirname(command), path.dirname(process.execPath), process.env.PATH].join(':'),
    CURL_HOME: path.join(cwd, 'home'),
    OCR_ENGINE_PROCESSES: '1',
  };
  return { cwd: work, env };
}

interface Outcome {
  readonly command: string;
  readonly status: number;
  readonly stdout: string;
}

/** Runs the commands in one shell, so that what one exports the next ones see. */
async function runInOneShell(
  commands: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<{ outcomes: Outcome[]; stderr: string }> {
  const script = commands.map((command) => `${command}\nprintf '${MARK}%s${MARK}' $?`).join('\n');
  const child = spawn('bash', ['-o', 'pipefail', '-c', script], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const parts = stdout.split(MARK);
  const outcomes = commands.map((command, i) => ({
    command,
    stdout: parts[2 * i] ?? '',
    status: Number(parts[2 * i + 1] ?? NaN),
  }));
  return { outcomes, stderr };
}

t.test('commands are run, and answers are those that are shown', async (t) => {
  const service = await startService({ OCR_ENGINE_PROCESSES: '1' });
  t.teardown(() => service.stop());
  /** Those of the command line take seconds, and do the same wherever they stand. */
  const seen = new Set<string>();
  const isNew = (command: string): boolean => !command.startsWith('general-ocr ') || !seen.has(command);
  let answers = 0;
  let run = 0;
  for (const file of RUN) {
    const { cwd, env } = await checkout(t, new URL(service.url).port);
    const blocks = blocksOf(file);
    for (const [i, block] of blocks.entries()) {
      if (!isShell(block)) continue;
      const commands = commandsOf(block.text).filter(
        (command) => notRun(file, command) === undefined && isNew(command),
      );
      for (const command of commands) seen.add(command);
      if (commands.length === 0) continue;
      const answer = blocks[i + 1]?.isAnswer === true ? blocks[i + 1] : undefined;
      const { outcomes, stderr } = await runInOneShell(commands, { cwd, env });
      for (const { command, status, stdout } of outcomes) {
        const what = `${file}:${block.line}: ${command}`;
        const last = command === commands.at(-1) ? answer : undefined;
        t.ok(statusesOf(command, last).includes(status), `${what}: ${status} ${stdout} ${stderr}`);
        const isSilent = /(^|\s)-o (?!.* -w )|\s> |^(export|mkdir|cp|cd) /.test(command);
        t.equal(stdout === '', isSilent, `${what}: results go where they should`);
        if (last !== undefined) t.equal(differs(last.text, stdout), undefined, `${what}: the answer\n${stdout}`);
      }
      run += commands.length;
      answers += answer === undefined ? 0 : 1;
    }
    if (file === 'docs/command-line.md') {
      const files = await readdir(path.join(cwd, 'out'), { recursive: true });
      t.strictSame(files.filter((name) => name.endsWith('.pdf')).sort(), ['1.pdf', 'more/2.pdf']);
    }
  }
  const elsewhere = await runInOneShell(
    ['curl -s localhost:8080/nothing'],
    await checkout(t, new URL(service.url).port),
  );
  t.match(elsewhere.outcomes, [{ status: CURL_HTTP_ERROR, stdout: /NOT_FOUND/ }], 'a refusal is noticed');
  t.ok(run >= 20, `${run} commands`);
  const shown = RUN.flatMap((file) =>
    // What follows a program of another language is compared by npm run test:clients.
    blocksOf(file).filter(({ isAnswer }, i, blocks) => isAnswer && !PROGRAMS.includes(blocks[i - 1]?.language ?? '')),
  );
  t.equal(answers, shown.length, 'every answer has its command');
  t.comment(`${run} commands run, ${answers} answers compared`);
});

const { scripts } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
const compose = parse(await readFile(path.join(ROOT, 'docker-compose.yml'), 'utf8')) as {
  services: Record<string, { profiles?: string[] }>;
};
const profiles = Object.values(compose.services).flatMap((service) => service.profiles ?? []);
/** Commands of npm itself. */
const NPM = ['audit', 'ci', 'cit', 'install', 'link', 'pack'];
/** Files and folders of the project by their paths; what is not in it may not be there yet. */
const PROJECT_PATH = /^(?:\.\/)?((?:\.ci|bench|bin|clients|deploy|docker|docs|models|scripts|src|test)\/[^\s*'"]*)$/;
/** Made by a command before it, or written by it. */
const MADE = /^clients\/typescript\/general-ocr-client-/;

/** What is wrong with a command that is not run, as far as one can tell without running it. */
async function faultsOf(command: string): Promise<string[]> {
  const faults: string[] = [];
  await promisify(execFile)('bash', ['-n', '-c', command]).catch((error: Error) => faults.push(error.message));
  for (const [, name = ''] of command.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)) {
    if (!(name in scripts) && name !== 'generate') faults.push(`package.json has no script ${name}`);
  }
  for (const [, name = ''] of command.matchAll(/\bnpm (?!run\b)([a-z]+)/g)) {
    if (!(name in scripts) && !NPM.includes(name)) faults.push(`npm has no command ${name}`);
  }
  for (const [, name = ''] of command.matchAll(/--profile (\S+)/g)) {
    if (!profiles.includes(name)) faults.push(`docker-compose.yml has no profile ${name}`);
  }
  for (const word of command.replace(/\s#.*/, '').split(/[\s=@]+/)) {
    const file = PROJECT_PATH.exec(word)?.[1];
    if (file === undefined || MADE.test(file)) continue;
    if (globSync(file, { cwd: ROOT }).length === 0) faults.push(`there is no ${file}`);
  }
  return faults;
}

t.test('commands that are not run are listed with a reason, and name what there is', async (t) => {
  const used = new Set<NotRun>();
  const counts = new Map<string, number>();
  for (const file of RUN) {
    for (const command of blocksOf(file)
      .filter(isShell)
      .flatMap(({ text }) => commandsOf(text))) {
      const rule = notRun(file, command);
      if (rule === undefined) continue;
      used.add(rule);
      counts.set(rule.reason, (counts.get(rule.reason) ?? 0) + 1);
      t.strictSame(await faultsOf(command), [], `${file}: ${command}`);
    }
  }
  for (const file of CHECKED) {
    for (const command of blocksOf(file)
      .filter(isShell)
      .flatMap(({ text }) => commandsOf(text))) {
      const rule = notRun(file, command);
      t.ok(rule, `${file}: ${command}: not-run.ts says why it is not run`);
      if (rule !== undefined) used.add(rule);
      t.strictSame(await faultsOf(command), [], `${file}: ${command}`);
      counts.set(`of ${file}`, (counts.get(`of ${file}`) ?? 0) + 1);
    }
  }
  t.strictSame(
    NOT_RUN.filter((rule) => !used.has(rule)).map(({ command }) => command),
    [],
    'not-run.ts lists nothing that is not there',
  );
  for (const [reason, count] of counts) t.comment(`${count} not run: ${reason}`);
});

t.test('commands that the text names are there', async (t) => {
  let mentions = 0;
  for (const [file, document] of documents) {
    for (const command of mentionedCommands(document)) {
      mentions++;
      t.strictSame(await faultsOf(command), [], `${file}: ${command}`);
    }
  }
  t.ok(mentions >= 20, `${mentions} commands`);
  t.comment(`${mentions} commands named in the text checked`);
});

t.test('the checks find what is wrong', async (t) => {
  t.match(await faultsOf('npm run no-such-script'), [/no script no-such-script/]);
  t.match(await faultsOf('npm start && npm nothing'), [/no command nothing/]);
  t.match(await faultsOf('docker compose --profile s4 up'), [/no profile s4/]);
  t.match(await faultsOf('node scripts/gone.ts'), [/no scripts\/gone\.ts/]);
  t.match(await faultsOf("echo 'open"), [/unexpected EOF/]);
  const shell = { cwd: ROOT, env: process.env };
  const { outcomes } = await runInOneShell(['export A=1', 'false | cat', 'echo $A'], shell);
  t.strictSame(
    outcomes.map(({ status, stdout }) => [status, stdout]),
    [
      [0, ''],
      [1, ''],
      [0, '1\n'],
    ],
  );
});
