/**
 * Writes what docs/command-line.md says of the commands, their options and exit statuses from the command line itself:
 *
 *   node scripts/cli-docs.ts
 */
import { readFile, writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { EXIT_STATUS, EXIT_STATUS_MEANINGS } from '../src/cli/exit-status.ts';
import { createProgram } from '../src/cli/program.ts';

/** The help of a command, named by its words after `general-ocr`: '' for the whole, `models fetch`. */
function helpOf(words: string): string {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const program = createProgram(
    { env: {}, ...streams, serve: async () => undefined, work: async () => undefined },
    () => undefined,
  );
  const command = words
    .split(' ')
    .filter((word) => word !== '')
    .reduce((parent, name) => {
      const child = parent.commands.find((candidate) => candidate.name() === name);
      if (child === undefined) throw new Error(`docs/command-line.md names a command that there is not: ${words}`);
      return child;
    }, program);
  return command.helpInformation().trimEnd();
}

function exitStatusTable(): string {
  const names = Object.keys(EXIT_STATUS) as (keyof typeof EXIT_STATUS)[];
  const rows = names.map((name) => `| ${EXIT_STATUS[name]} | ${EXIT_STATUS_MEANINGS[name]} |`);
  return ['| status | meaning |', '| --- | --- |', ...rows].join('\n');
}

const HELP = /(<!-- help: ?(.*?) ?-->\n\n)[\s\S]*?(\n*<!-- \/help -->)/g;
const STATUS = /(<!-- exit status -->\n\n)[\s\S]*?(\n*<!-- \/exit status -->)/;

/** docs/command-line.md as it has to be. */
export function withHelp(document: string): string {
  return document
    .replace(
      HELP,
      (_all, before: string, words: string) => `${before}\`\`\`text\n${helpOf(words)}\n\`\`\`\n\n<!-- /help -->`,
    )
    .replace(STATUS, (_all, before: string) => `${before}${exitStatusTable()}\n\n<!-- /exit status -->`);
}

if (import.meta.main) {
  const file = new URL('../docs/command-line.md', import.meta.url);
  await writeFile(file, withHelp(await readFile(file, 'utf8')));
}
