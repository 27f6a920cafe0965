/**
 * Runs schemathesis (PyPI) against the running service: requests made from /openapi.json, all checks.
 *
 *   node test/contract/contract-test.ts [CASES]
 *
 * The program is `schemathesis` on the PATH or the one that SCHEMATHESIS names.
 */
import { spawnSync } from 'node:child_process';
import { startService } from '../running-service.ts';

const cases = process.argv[2] ?? '1000';
// No made-up address may be looked up or dialled: with no usual port open, each is refused by its text.
const service = await startService({ OCR_URL_PORTS: '1' });
const result = spawnSync(
  process.env.SCHEMATHESIS ?? 'schemathesis',
  [
    '--config-file',
    'test/contract/schemathesis.toml',
    'run',
    `${service.url}/openapi.json`,
    '--checks',
    'all',
    '--max-examples',
    cases,
    '--seed',
    '1',
    '--generation-database',
    'none',
    '--request-timeout',
    '30',
  ],
  { stdio: 'inherit' },
);
const code = await service.stop();
const ok = result.status === 0 && code === 0;
process.stdout.write(`${ok ? '1 passed, 0 failed' : '0 passed, 1 failed'}\n`);
process.exitCode = ok ? 0 : 1;
