import { PassThrough } from 'node:stream';
import t from 'tap';
import { createProgressBar, formatDuration, progressLine } from '../../src/cli/progress-bar.ts';

t.test('the line: share, rate and time left', async (t) => {
  const rows: [Parameters<typeof progressLine>[0], string][] = [
    [{ total: 72, done: 0, failed: 0, seconds: 3 }, '[------------------------] 0/72  0 %'],
    [{ total: 72, done: 18, failed: 0, seconds: 6 }, '[######------------------] 18/72  25 %  3.0 pages/s  0:18 left'],
    [
      { total: 4, done: 1, failed: 1, seconds: 2 },
      '[######------------------] 1/4  25 %  0.50 pages/s  0:06 left  1 failed',
    ],
    [{ total: 3, done: 3, failed: 0, seconds: 1 }, '[########################] 3/3  100 %  3.0 pages/s  0:00 left'],
  ];
  for (const [state, expected] of rows) t.equal(progressLine(state), expected);
  t.strictSame([0, 17.2, 125, 3725].map(formatDuration), ['0:00', '0:18', '2:05', '1:02:05']);
});

/** A terminal that keeps what is written to it. */
function terminal(columns: number) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns });
  return { stream, take: (): string => String(stream.read() ?? '') };
}

t.test('on a terminal it is drawn in place, ten times a second at most, and never wraps', async (t) => {
  const { stream, take } = terminal(30);
  let now = 0;
  const bar = createProgressBar(stream, { total: 3, now: () => now });
  t.equal(take(), '[------------------------] 0/');
  now = 50;
  bar.advance(false);
  t.equal(take(), '', 'too soon');
  now = 150;
  bar.advance(true);
  t.equal(take(), '\u001b[1G\u001b[2K[################--------] 2/');
  bar.clear();
  t.equal(take(), '\u001b[1G\u001b[2K');
  bar.clear();
  t.equal(take(), '', 'there was nothing to clear');
  bar.advance(false);
  t.equal(take(), '[########################] 3/');
});

t.test('elsewhere nothing is written', async (t) => {
  const stream = new PassThrough();
  const bar = createProgressBar(stream, { total: 1 });
  bar.advance(false);
  bar.clear();
  t.equal(stream.read(), null);
});
