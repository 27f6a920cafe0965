import { fileURLToPath } from 'node:url';
import t from 'tap';
import { describeModelPack } from '../../src/models/describe-model-pack.ts';

const MODELS = fileURLToPath(new URL('../../models', import.meta.url));

t.test('the hashes of the manifest', async (t) => {
  const pack = await describeModelPack(MODELS, 'pp-ocrv6-small-int8');
  t.match(pack, { name: 'pp-ocrv6-small-int8', licence: 'Apache-2.0' });
  t.strictSame(
    pack.files.map(({ file }) => file),
    ['detector.onnx', 'recognizer.onnx', 'dictionary.txt'],
  );
  for (const { file, sha256 } of pack.files) t.match(sha256, /^[0-9a-f]{64}$/, file);
});

t.test('a pack or folder that is not there: its name only, the engine says the rest', async (t) => {
  t.strictSame(await describeModelPack(MODELS, 'nothing'), { name: 'nothing', licence: '', files: [] });
  t.strictSame(await describeModelPack(t.testdir({}), 'x'), { name: 'x', licence: '', files: [] });
});
