import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { generalOcr } from './general-ocr.ts';

const MODELS_DIR = fileURLToPath(new URL('../../models', import.meta.url));
const PACK = 'pp-ocrv6-small-int8';

interface Diagnosis {
  readonly healthy: boolean;
  readonly findings: readonly { check: string; status: string; found: string; change?: string }[];
}

t.test('a sound installation', async (t) => {
  // The machine of the test may have too little memory or an odd processor: what it says of them is not asked here.
  const { status, stdout, stderr } = await generalOcr(['doctor', '--json']);
  t.equal(stderr, '');
  const { healthy, findings } = JSON.parse(stdout) as Diagnosis;
  t.equal(status, healthy ? 0 : 1);
  t.equal(healthy, !findings.some((finding) => finding.status === 'fault'));
  t.strictSame(
    findings.map(({ check }) => check),
    ['node', 'processor', 'threads', 'memory', 'allocator', 'settings', 'models', 'sample'],
  );
  const found = new Map(findings.map((finding) => [finding.check, finding]));
  t.match(found.get('settings'), { status: 'ok' });
  t.match(found.get('models'), { status: 'ok', found: `${PACK}: 3 files with the right hash` });
  t.match(found.get('sample'), { status: 'ok', found: /^read right; start \d+ ms, then \d+ ms, \d+ MiB$/ });
});

t.test('damaged models, wrong settings: faults with what to change, exit 1', async (t) => {
  const folder = t.testdir({});
  await cp(path.join(MODELS_DIR, 'manifest.json'), path.join(folder, 'manifest.json'));
  await cp(path.join(MODELS_DIR, PACK), path.join(folder, PACK), { recursive: true });
  await writeFile(path.join(folder, PACK, 'detector.onnx'), 'not a model');
  const { status, stdout } = await generalOcr(['doctor'], {
    env: { OCR_MODELS_DIR: folder, OCR_MAX_SIDE: '1', OCR_MAXIMUM: '3' },
  });
  t.equal(status, 1);
  t.match(stdout, /^fault {3}settings {3}OCR_MAX_SIDE must be >= 32, not "1"\n {19}-> Mend them/m);
  t.match(
    stdout,
    /^fault {3}models {5}.*detector\.onnx is damaged\n {19}-> pp-ocrv6-small-int8 comes with the package/m,
  );
  t.notMatch(stdout, / sample /, 'damaged models are not loaded');
  t.match(stdout, /\nfaults: [2-9], advice: \d\n$/);
});

t.test('a pack that there is not', async (t) => {
  const { status, stdout } = await generalOcr(['doctor'], { env: { OCR_MODEL_PACK: 'none-such' } });
  t.equal(status, 1);
  t.match(stdout, /^fault {3}models {5}There is no model pack "none-such"; choose one of: pp-ocrv6-small-int8/m);
});
