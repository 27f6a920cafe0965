/** Writes openapi.yaml from the schemas of the routes: `node scripts/openapi.ts`. A test compares the two. */
import { writeFile } from 'node:fs/promises';
import { buildApp } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import { createLogger } from '../src/http/log.ts';
import { createMetrics } from '../src/metrics.ts';

const unused = (): never => {
  throw new Error('The document is made without serving a request');
};
const engine = { read: unused, status: unused, refuseIfUnavailable: unused };
const modelPack = { name: '', licence: '', files: [] };
const app = await buildApp({
  config: loadConfig({}),
  engine,
  admission: { enter: unused, refuseIfFull: unused },
  images: { load: unused },
  metrics: createMetrics({ engine, admission: { inside: 0 }, places: 1, modelPack }),
  modelPack,
  logger: createLogger('silent'),
});
await app.ready();
await writeFile(new URL('../openapi.yaml', import.meta.url), app.swagger({ yaml: true }));
await app.close();
