import { readFile } from 'node:fs/promises';
import t from 'tap';
import { costBlock, withBlock, type ScalingInputs } from '../../scripts/scaling-docs.ts';

const text = (file: string): Promise<string> => readFile(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
const inputs = JSON.parse(await text('scaling.json')) as ScalingInputs;
const document = await text('scaling.md');

t.test('the cost table is that of docs/scaling.json (npm run scaling-docs writes it)', async (t) => {
  t.equal(withBlock(document, 'cost', costBlock(inputs)), document);
});

t.test('a machine of two CPUs costs a million pages what docs/performance.md says', async (t) => {
  const said = Number(
    /\| US dollars for a million pages \| 76\.35 \| ([\d.]+),/.exec(await text('performance.md'))?.[1],
  );
  const row = new RegExp(`\\| AWS c7i\\.large \\| 2 \\| 0\\.08925 \\| 1 \\| ${said.toFixed(2)} \\|`);
  t.match(document, row);
});

t.test('the simulated table has every size and was made of these assumptions', async (t) => {
  const { cpus, slowShare, slowSpeed } = inputs.assumptions;
  for (const count of cpus)
    t.match(document, new RegExp(`^\\| ${count.toLocaleString('en-US')} \\| \\d+, \\d+ \\|`, 'm'));
  t.match(document, `least_conn, ${100 * slowShare} % of the machines at ${100 * slowSpeed} % speed`);
  t.match(await text('images/fleet.svg'), `least_conn, ${100 * slowShare} %`);
});
