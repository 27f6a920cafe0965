import t from 'tap';
import { bodyLimitFor } from '../../src/app.ts';
import { buildFakeApp, MODEL_PACK } from './fixtures/fake-parts.ts';

t.test('versions, models and limits', async (t) => {
  const app = await buildFakeApp({
    env: { OCR_MAX_IMAGE_BYTES: '2048', OCR_QUEUE_LENGTH: '7', OCR_ENGINE_PROCESSES: '3' },
  });
  t.teardown(() => app.close());
  const response = await app.inject('/v1/info');
  t.equal(response.statusCode, 200);
  t.match(response.json(), {
    version: /^\d+\.\d+\.\d+/,
    node: process.version,
    modelPack: MODEL_PACK,
    imageTypes: ['image/jpeg', 'image/png', 'image/bmp'],
    limits: { maxImageBytes: 2048, maxBodyBytes: bodyLimitFor(2048), pagesAtATime: 3, pagesWaiting: 7 },
  });
});

t.test('where keys are set it asks for one, and never tells settings that are secret', async (t) => {
  const secrets = { OCR_API_KEYS: 'secret-key', OCR_SOURCE_ALLOW: 'internal.lan', OCR_S3_BUCKETS: 'secret-bucket' };
  const app = await buildFakeApp({
    env: { ...secrets, OCR_S3_ENDPOINT: 'http://minio.lan', OCR_MODELS_DIR: '/secret/dir' },
  });
  t.teardown(() => app.close());
  t.match(await app.inject('/v1/info'), { statusCode: 401, headers: { 'www-authenticate': /Bearer/ } });
  const response = await app.inject({ url: '/v1/info', headers: { 'x-api-key': 'secret-key' } });
  t.equal(response.statusCode, 200);
  t.notMatch(response.body, /secret|lan\b/);
});
