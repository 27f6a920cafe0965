/**
 * The promises of docs/robustness.md, one script each, against the real service:
 *
 *   npm run robustness -- NAME [ARGUMENTS]
 *
 * Each prints its figures, `N passed, N failed`, and exits with 0 only if nothing failed. Linux only (/proc).
 */
import type { Report } from './report.ts';

/** @returns its findings; `args` are the words behind the name */
export type Script = (args: readonly string[]) => Promise<Report>;

const SCRIPTS: Readonly<Record<string, () => Promise<{ run: Script }>>> = {
  hostile: () => import('./hostile.ts'),
  overload: () => import('./overload.ts'),
  kill: () => import('./kill.ts'),
  sigterm: () => import('./sigterm.ts'),
  'slow-clients': () => import('./slow-clients.ts'),
  leave: () => import('./leave.ts'),
  origins: () => import('./origins.ts'),
  soak: () => import('./soak.ts'),
  ssrf: () => import('./ssrf.ts'),
  s3: () => import('./s3.ts'),
  secrets: () => import('./secrets.ts'),
  'event-loop': () => import('./event-loop.ts'),
  'engine-faults': () => import('./engine-faults.ts'),
  traffic: () => import('./traffic.ts'),
  conformance: () => import('./conformance.ts'),
  jobs: () => import('./jobs.ts'),
  'jobs-memory': () => import('./jobs-memory.ts'),
  'jobs-throughput': () => import('./jobs-throughput.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(SCRIPTS, name)) {
  process.stderr.write(`Say which: ${Object.keys(SCRIPTS).join(' | ')}\n`);
  process.exit(2);
}
const { run } = await SCRIPTS[name]();
const report = await run(args);
process.exit(report.finish());
