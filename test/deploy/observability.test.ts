import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';
import { parse } from 'yaml';
import { instrumentsOf, sampleMetrics, withMetrics } from '../../scripts/metrics-docs.ts';

const root = new URL('../../', import.meta.url);
const text = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8');
const RULES = 'deploy/observability/alerts.yml';
const DASHBOARD = 'deploy/observability/grafana/dashboard.json';

const sample = await sampleMetrics();
const instruments = instrumentsOf(sample);

/** Names of series that Prometheus gets of an instrument. */
const SERIES: ReadonlySet<string> = new Set(
  instruments.flatMap(({ name, type }) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
  ),
);

/** Names in PromQL that look like ours, Node's or the process's. */
const namesIn = (query: string): string[] => query.match(/\b(?:general_ocr|nodejs|process)_\w+/g) ?? [];

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
  readonly targets?: readonly { readonly expr: string }[];
}
interface Rule {
  readonly alert: string;
  readonly expr: string;
}
const dashboard = JSON.parse(await text(DASHBOARD)) as { panels: readonly Panel[] };
const { rules } = (parse(await text(RULES)) as { groups: readonly { rules: readonly Rule[] }[] }).groups[0] ?? {
  rules: [],
};

t.test('every metric named in rules, dashboard, chart and documents exists', async (t) => {
  const expressions = [
    ...rules.map(({ expr }) => expr),
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ];
  t.ok(expressions.length > 30);
  for (const name of new Set(expressions.flatMap(namesIn))) t.ok(SERIES.has(name), name);

  const values = await text('deploy/helm/general-ocr/values.yaml');
  for (const name of namesIn(values)) t.ok(SERIES.has(name), `values.yaml: ${name}`);
  const known = new Set([...SERIES, ...instruments.map(({ name }) => name)]);
  for (const name of namesIn(await text('docs/operations.md'))) t.ok(known.has(name), `operations.md: ${name}`);
});

t.test('every metric of the service is on the dashboard', async (t) => {
  const shown = new Set(dashboard.panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => namesIn(expr))));
  for (const { name } of instruments.filter(({ name }) => name.startsWith('general_ocr_'))) {
    t.ok(
      [name, `${name}_bucket`, `${name}_sum`].some((series) => shown.has(series)),
      name,
    );
  }
});

t.test('names follow the conventions of Prometheus', async (t) => {
  for (const { name, type, help } of instruments.filter(({ name }) => name.startsWith('general_ocr_'))) {
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    if (type === 'histogram') t.match(name, /_seconds$/);
    t.notMatch(name, /_(ms|milliseconds|mb|megabytes|megapixels|percent)(_|$)/, `${name}: base units`);
    t.match(help, /^.+\.$/, `${name} has a sentence`);
  }
});

t.test('every alert is unit-tested and has a section in docs/operations.md', async (t) => {
  const tests = await text('deploy/observability/alerts.test.yml');
  const manual = await text('docs/operations.md');
  for (const { alert } of rules) {
    t.match(tests, new RegExp(`alertname: ${alert}\\s+exp_alerts:\\s+- exp_labels`), `${alert} fires in a test`);
    t.match(manual, `**${alert}**`, `what to do about ${alert}`);
  }
});

t.test('the table of metrics is that of src/metrics.ts (npm run metrics-docs writes it)', async (t) => {
  const manual = await text('docs/operations.md');
  t.equal(manual, withMetrics(manual, sample));
  t.match(manual, '| `general_ocr_requests_waiting` | gauge |');
});

t.test('the documents know every message of the log, and no other', async (t) => {
  const sources = await Promise.all(
    (await readdir(new URL('src', root), { recursive: true }))
      .filter((file) => /^(engine|http|jobs)\/.*\.ts$|^(server|worker|tracing)\.ts$/.test(file))
      .map((file) => text(`src/${file}`)),
  );
  const logged = sources.flatMap((source) =>
    [...source.matchAll(/log(?:ger)?(?:\.(?:info|warn|error|fatal)|\[level\])\((?:[^;]*?,\s*)?'([^']+)',?\s*\)/g)].map(
      ([, message]) => message,
    ),
  );
  t.ok(logged.length >= 10);
  const table = /\| `msg` \|[\s\S]*?\n\n/.exec(await text('docs/operations.md'))?.[0] ?? '';
  const documented = [...table.matchAll(/^\| (`[^|]*`) \|/gm)]
    .slice(1)
    .flatMap(([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, message]) => message));
  // Fastify's own two, and those that server.ts hands to a function.
  const elsewhere = ['incoming request', 'request completed', 'the engine cannot start', 'cannot listen'];
  t.strictSame([...new Set(documented)].sort(), [...new Set([...logged, ...elsewhere])].sort());
});

t.test('panels have their own numbers and places', async (t) => {
  const { panels } = dashboard;
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const [i, a] of panels.entries()) {
    t.ok(a.gridPos.x + a.gridPos.w <= 24, `${a.title} is within the width`);
    for (const b of panels.slice(i + 1)) {
      const apart =
        a.gridPos.x + a.gridPos.w <= b.gridPos.x ||
        b.gridPos.x + b.gridPos.w <= a.gridPos.x ||
        a.gridPos.y + a.gridPos.h <= b.gridPos.y ||
        b.gridPos.y + b.gridPos.h <= a.gridPos.y;
      t.ok(apart, `${a.title} and ${b.title}`);
    }
  }
});
