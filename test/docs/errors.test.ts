import { readFile } from 'node:fs/promises';
import t from 'tap';
import { withErrors } from '../../scripts/error-docs.ts';
import { ERROR_CODES } from '../../src/errors.ts';

const document = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');

t.test('the table is that of the service (npm run error-docs writes it)', async (t) => {
  t.equal(document, withErrors(document));
  t.equal([...document.matchAll(/^\| `[A-Z_0-9]+` \| \d{3} \| /gm)].length, ERROR_CODES.length);
});

t.test('what to do is said of every code, once', async (t) => {
  const advice = document.slice(document.indexOf('## What to do'));
  const named = [...advice.matchAll(/^- ((?:`[A-Z_0-9]+`(?:, )?)+):/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  t.strictSame(named.toSorted(), [...ERROR_CODES].sort());
});
