/**
 * Writes the table of docs/errors.md from the codes, their statuses and what openapi.yaml says of them:
 *
 *   node scripts/error-docs.ts
 */
import { readFile, writeFile } from 'node:fs/promises';
import { ERROR_CODES } from '../src/errors.ts';
import { STATUS_OF_CODE } from '../src/http/error-handler.ts';
import { ERROR_DESCRIPTIONS } from '../src/http/error-responses.ts';

function errorTable(): string {
  const rows = ERROR_CODES.map((code) => {
    const [when, message] = ERROR_DESCRIPTIONS[code];
    return `| \`${code}\` | ${STATUS_OF_CODE[code]} | ${when} | ${message} |`;
  });
  return ['| code | status | when | a message |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const BETWEEN = /(<!-- errors: .*? -->\n\n)[\s\S]*?(\n*<!-- \/errors -->)/;

/** docs/errors.md with the table as it has to be. */
export function withErrors(document: string): string {
  return document.replace(BETWEEN, (_all, before: string) => `${before}${errorTable()}\n\n<!-- /errors -->`);
}

if (import.meta.main) {
  const file = new URL('../docs/errors.md', import.meta.url);
  await writeFile(file, withErrors(await readFile(file, 'utf8')));
}
