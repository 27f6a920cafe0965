import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { withHelp } from '../../scripts/cli-docs.ts';
import { EXIT_STATUS } from '../../src/cli/exit-status.ts';
import { FORMAT_NAMES } from '../../src/cli/result-formats.ts';
import { EnvSchema } from '../../src/config.ts';
import { SAMPLE } from './pictures.ts';

const root = new URL('../../', import.meta.url);
const document = await readFile(new URL('docs/command-line.md', root), 'utf8');
const readme = await readFile(new URL('README.md', root), 'utf8');

t.test('help and exit statuses in docs/command-line.md are those of the command (npm run cli-docs)', async (t) => {
  t.equal(document, withHelp(document));
  t.match(document, '\n| 130 | ended by Ctrl-C', 'the table is there at all');
  t.equal([...document.matchAll(/^\| \d+ \| /gm)].length, Object.keys(EXIT_STATUS).length);
  for (const command of ['read', 'serve', 'doctor', 'config', 'models']) {
    t.match(document, `\`\`\`text\nUsage: general-ocr ${command} [options]`, command);
  }
  t.match(document, FORMAT_NAMES.join(', '));
});

t.test('the settings that it names are settings', async (t) => {
  const names = [...document.matchAll(/`(OCR_[A-Z_]+)`/g)].map(([, name]) => name);
  t.ok(names.length > 5);
  for (const name of names) t.ok(name === 'OCR_MODELS_BASE_URL' || name in EnvSchema.properties, name);
});

/** Lines that call `general-ocr` in the shell blocks of a document. What runs in Docker is for docker/container-test.ts. */
function commandsIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) => block.split('\n'));
  return blocks.filter((line) => /^(cat .* \| )?general-ocr /.test(line) && !line.startsWith('general-ocr serve'));
}

t.test('every command in README and docs does what it says', async (t) => {
  const commands = [...new Set([...commandsIn(document), ...commandsIn(readme)])];
  t.ok(commands.length >= 8, commands.join('; '));
  const cwd = t.testdir({
    'scan.png': SAMPLE,
    'scan1.png': SAMPLE,
    scans: { '1.jpg': SAMPLE, more: { '2.jpg': SAMPLE } },
    bin: { 'general-ocr': '' },
  });
  const shim = path.join(cwd, 'bin/general-ocr');
  await writeFile(
    shim,
    `#!/bin/sh\nexec "${process.execPath}" "${fileURLToPath(new URL('bin/general-ocr.js', root))}" "$@"\n`,
  );
  await chmod(shim, 0o755);
  const env = { ...process.env, PATH: `${path.dirname(shim)}:${process.env.PATH ?? ''}`, OCR_ENGINE_PROCESSES: '1' };
  for (const command of commands) {
    const child = spawn('bash', ['-o', 'pipefail', '-c', command], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    // A machine with little memory is no fault of the command.
    const right = command === 'general-ocr doctor' ? [0, 1] : [0];
    t.ok(right.includes(child.exitCode ?? -1), `${command}: ${child.exitCode} ${err}`);
    const toFile = / -o | > /.test(command);
    t.equal(out === '', toFile, `${command}: results go where they should`);
  }
  t.strictSame(
    (await readdir(path.join(cwd, 'out'), { recursive: true })).filter((name) => name.endsWith('.pdf')).sort(),
    ['1.pdf', 'more/2.pdf'],
  );
});
