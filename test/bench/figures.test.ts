import t from 'tap';
import { fitLine } from '../../bench/growth.ts';
import { barChart, lineChart, ticksUpTo } from '../../bench/plot.ts';
import { median, percentile } from '../../bench/report.ts';

t.test('a straight line, and one with a knee', async (t) => {
  const straight = [1, 2, 4, 8].map((x) => ({ x, seconds: 0.5 + 0.25 * x }));
  t.strictSame(fitLine(straight), { intercept: 0.5, slope: 0.25, r2: 1, worstExcess: 0 });
  const { r2, worstExcess } = fitLine([...straight, { x: 9, seconds: 10 }]);
  t.ok(r2 < 0.7, `r² ${r2}`);
  t.ok(worstExcess > 0.4, `${worstExcess} above the line`);
});

t.test('percentiles are values that were measured', async (t) => {
  const values = Array.from({ length: 200 }, (_, i) => 200 - i);
  t.strictSame(
    [0.5, 0.95, 0.99, 1].map((share) => percentile(values, share)),
    [100, 190, 198, 200],
  );
  t.equal(percentile([7], 0.99), 7);
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 2, 3]), 2.5);
});

t.test('axes end at or above the highest value, in round steps', async (t) => {
  t.strictSame(ticksUpTo(1000), [0, 200, 400, 600, 800, 1000]);
  t.strictSame(ticksUpTo(16.8), [0, 5, 10, 15, 20]);
  t.strictSame(ticksUpTo(0.31), [0, 0.1, 0.2, 0.3, 0.4]);
});

t.test('points lie where the axes say', async (t) => {
  const svg = lineChart('Time <of> a page', 'lines', 'seconds', [
    {
      name: 'one',
      points: [
        [0, 0],
        [1000, 1],
      ],
    },
  ]);
  t.match(svg, 'Time &#60;of&#62; a page');
  t.match(svg, '<circle cx="64.0" cy="312.0"', 'the origin');
  t.match(svg, '<circle cx="624.0" cy="40.0"', 'the ends of both axes');
  const bars = barChart('Seconds', 's', [{ name: 'a', value: 2, least: 1, greatest: 5 }]);
  t.match(bars, 'width="136.0"', '2 of 5 of the 340 pixels');
});
