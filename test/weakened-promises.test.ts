import t from 'tap';
import { loadConfig } from '../src/config.ts';
import { weakenedPromises } from '../src/weakened-promises.ts';

const settingsNamed = (env: Record<string, string>): string[] =>
  weakenedPromises(loadConfig({ OCR_API_KEYS: 'a-secret-key', ...env })).map(({ setting }) => setting);

t.test('the defaults with a key weaken nothing', async (t) => {
  t.strictSame(settingsNamed({}), []);
});

t.test('without keys only on a loopback address', async (t) => {
  t.strictSame(settingsNamed({ OCR_API_KEYS: '' }), ['OCR_API_KEYS']);
  for (const host of ['127.0.0.1', '::1', 'localhost'])
    t.strictSame(settingsNamed({ OCR_API_KEYS: '', HOST: host }), []);
});

t.test('each setting that gives something up is named, and no other', async (t) => {
  for (const [name, weak, harmless] of [
    ['OCR_SOURCE_ALLOW', 'minio:9000', ''],
    ['OCR_URL_PORTS', '80,6379', '443'],
    ['OCR_CORS', '*', 'https://a.example'],
    ['OCR_TRUSTED_PROXIES', '0.0.0.0/0', '10.0.0.0/8'],
    ['OCR_MAX_SIDE', '8192', '1024'],
    ['OCR_MAX_IMAGE_BYTES', '99000000', '1000000'],
    ['OCR_PAGE_TIMEOUT_MS', '60000', '1000'],
  ] as const) {
    t.strictSame(settingsNamed({ [name]: weak }), [name]);
    t.strictSame(settingsNamed({ [name]: harmless }), [], `${name}=${harmless}`);
  }
  t.strictSame(settingsNamed({ OCR_S3_ENDPOINT: 'http://minio:9000' }), ['OCR_S3_BUCKETS']);
  t.strictSame(settingsNamed({ OCR_S3_ENDPOINT: 'http://minio:9000', OCR_S3_BUCKETS: 'pictures' }), []);
});

t.test('no key is told', async (t) => {
  const all = { OCR_SOURCE_ALLOW: 'a', OCR_CORS: '*', OCR_MAX_SIDE: '5000', OCR_API_KEYS: 'a-secret-key' };
  t.notMatch(JSON.stringify(weakenedPromises(loadConfig(all))), 'a-secret-key');
});
