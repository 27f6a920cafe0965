import { randomBytes } from 'node:crypto';
import t from 'tap';
import { decodeInline } from '../../src/source/inline-source.ts';

const MAX = 1000;

t.test('every length round-trips, plain, wrapped and prefixed', async (t) => {
  for (let length = 1; length <= 200; length++) {
    const bytes = randomBytes(length);
    const text = bytes.toString('base64');
    const wrapped = text.replace(/.{1,76}/g, '$&\r\n');
    for (const form of [
      text,
      wrapped,
      ` \t\n\v\f\r${text}`,
      `data:image/png;base64,${text}`,
      ` data:image/bmp;base64,${wrapped}`,
    ]) {
      if (!decodeInline(form, MAX).equals(bytes)) t.fail(`length ${length}: ${JSON.stringify(form)}`);
    }
  }
  t.strictSame(decodeInline('DATA:IMAGE/svg+xml;charset=utf-8;base64,QUJD', MAX), Buffer.from('ABC'));
  t.strictSame(decodeInline('Q Q\n=\n=\n', MAX), Buffer.from('A'));
});

t.test('refused', async (t) => {
  const rows: [text: string, why: string][] = [
    ['', 'empty'],
    [' \n', 'only white space'],
    ['=', 'only padding'],
    ['====', 'only padding'],
    ['data:image/png;base64,', 'nothing after the prefix'],
    ['Q', 'one character'],
    ['QQ', 'no padding'],
    ['QUI', 'no padding'],
    ['QQ=', 'half of the padding'],
    ['QQ===', 'too much padding'],
    ['QUJD=', 'padding where none belongs'],
    ['QUJD====', 'padding where none belongs'],
    ['Q=Q=', 'padding inside'],
    ['QQ==QUJD', 'two strings in one'],
    ['QUJD!', 'foreign character'],
    ['QU!JD', 'foreign character inside'],
    ['QUJ\u0000', 'NUL'],
    ['QUJ\u00a0', 'white space of Latin-1'],
    ['QU\u0141D', 'low byte is an "A"'],
    ['_-_-', 'URL-safe alphabet'],
    ['QUJ-', 'URL-safe alphabet'],
    ['%51UJD', 'percent-encoded'],
    ['data:text/html;base64,QUJD', 'no image'],
    ['data:image/png,QUJD', 'not base64'],
    ['https://example.com/a.png', 'an address'],
  ];
  for (const [text, why] of rows) {
    t.throws(() => decodeInline(text, MAX), { code: 'INVALID_BASE64', message: /^`img` is not valid base64/ }, why);
  }
});

t.test('the byte limit', async (t) => {
  const text = Buffer.alloc(MAX).toString('base64');
  t.equal(decodeInline(text, MAX).length, MAX);
  t.equal(decodeInline(text.replace(/.{4}/g, '$&\n'), MAX).length, MAX, 'white space does not count');
  t.throws(() => decodeInline(Buffer.alloc(MAX + 1).toString('base64'), MAX), {
    code: 'BODY_TOO_LARGE',
    message: new RegExp(`${MAX + 1} bytes.*${MAX} bytes`),
  });
  t.throws(() => decodeInline('!'.repeat(MAX * 2), MAX), { code: 'BODY_TOO_LARGE' }, 'before decoding');
});

t.test('70 million characters, good or bad, neither overflow a stack nor take long', async (t) => {
  const size = 70_000_000;
  const maxBytes = size;
  const good = Buffer.alloc(size, 'QUJD').toString('latin1');
  const rows: [text: string, bytes: number | undefined][] = [
    [good, (size / 4) * 3],
    [Buffer.alloc(size, `${'QUJD'.repeat(19)}\r\n`).toString('latin1'), undefined],
    [Buffer.alloc(size, ' ').toString('latin1'), undefined],
    [Buffer.alloc(size, '!').toString('latin1'), undefined],
    [Buffer.alloc(size, '=').toString('latin1'), undefined],
  ];
  for (const [text, bytes] of rows) {
    const before = process.cpuUsage();
    let decoded: number | undefined;
    try {
      decoded = decodeInline(text, maxBytes).length;
    } catch (error) {
      t.match(error, { code: 'INVALID_BASE64' });
    }
    if (bytes !== undefined) t.equal(decoded, bytes);
    // 50 to 250 ms here, of processor time so that a busy machine does not matter; building a string piece by piece takes
    // many seconds, a regular expression over it throws a RangeError.
    const { user, system } = process.cpuUsage(before);
    t.ok(user + system < 3_000_000, `${JSON.stringify(text.slice(0, 4))}: ${(user + system) / 1000} ms`);
  }
});
