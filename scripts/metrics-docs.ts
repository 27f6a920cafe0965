/** Writes the table of metrics into docs/operations.md from src/metrics.ts: `npm run metrics-docs`. A test compares the two. */
import { readFile, writeFile } from 'node:fs/promises';
import { createMetrics } from '../src/metrics.ts';

/** One instrument as Prometheus sees it. */
export interface Instrument {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** Without `le`, which every histogram has. */
  readonly labels: readonly string[];
}

/** Everything that `/metrics` of a server gives, after one page and one request so that no series is missing. */
export async function sampleMetrics(): Promise<string> {
  const metrics = createMetrics({
    engine: {
      status: () => ({
        ready: true,
        processes: [{ pid: 1, state: 'idle', residentBytes: 1 }],
        waiting: 0,
        restarts: 0,
        restartsBy: { death: 0, deadline: 0, memory: 0 },
      }),
    },
    admission: { inside: 0 },
    places: 1,
    modelPack: { name: 'pack', licence: '', files: [{ file: 'f', sha256: '' }] },
    jobs: async () => ({ active: 1, waiting: 1, workers: 1, totals: {} }),
  });
  metrics.observeRequest({ method: 'POST', route: '/general_ocr', status: 200, code: 'OK', seconds: 1 });
  metrics.observePage({
    page: {
      width: 1,
      height: 1,
      lines: [],
      timings: { decodeMs: 1, detectMs: 1, recognizeMs: 1, totalMs: 3 },
      cost: { detectorMegapixels: 1, recognizerWidth: 1 },
      textFrom: 'picture',
    },
    fetchMs: 1,
    engineMs: 4,
  });
  return metrics.text();
}

/** The instruments of a text in Prometheus text format, in its order. */
export function instrumentsOf(text: string): Instrument[] {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type] as const));
  return [...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name = '', help = '']) => {
    const series = new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{([^}]*)\\}`, 'gm');
    const labels = [...text.matchAll(series)].flatMap(([, list = '']) =>
      [...list.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
    );
    return { name, type: types.get(name) ?? '', help, labels: [...new Set(labels)].filter((label) => label !== 'le') };
  });
}

/** The service's own instruments as a table; those of Node.js and the process come with prom-client. */
export function metricsTable(text: string): string {
  const rows = instrumentsOf(text)
    .filter(({ name }) => name.startsWith('general_ocr_'))
    .map(({ name, type, help, labels }) => {
      const shown = labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${shown} | ${help} |`;
    });
  return ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const BETWEEN = /(<!-- metrics: .*? -->\n\n)[\s\S]*?(\n*<!-- \/metrics -->)/;

/** docs/operations.md with the table as it has to be. */
export function withMetrics(document: string, text: string): string {
  return document.replace(BETWEEN, (_all, before: string) => `${before}${metricsTable(text)}\n\n<!-- /metrics -->`);
}

if (import.meta.main) {
  const file = new URL('../docs/operations.md', import.meta.url);
  await writeFile(file, withMetrics(await readFile(file, 'utf8'), await sampleMetrics()));
}
