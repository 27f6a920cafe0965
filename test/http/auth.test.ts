import { createHash } from 'node:crypto';
import t from 'tap';
import { createLogger } from '../../src/http/log.ts';
import { buildFakeApp, IMAGE } from './fixtures/fake-parts.ts';

t.test('the log names the key of a request and never tells it', async (t) => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line: string) => void lines.push(line) });
  const keys = ['first-long-secret', 'second-long-secret'] as const;
  const app = await buildFakeApp({ env: { OCR_API_KEYS: keys.join(',') }, logger });
  t.teardown(() => app.close());
  const headers = [
    { 'x-api-key': keys[0] },
    { authorization: `Bearer ${keys[1]}` },
    { 'x-api-key': 'third-long-secret' },
  ];
  for (const one of headers) {
    await app.inject({ method: 'POST', url: '/general_ocr', headers: { ...one }, payload: { img: IMAGE } });
  }
  type Line = { msg: string; key?: string; reqId: string };
  const logged = lines.map((line) => JSON.parse(line) as Line);
  const keysOf = (message: string) => logged.filter(({ msg }) => msg === message).map(({ key }) => key);
  const ids = keys.map((key) => createHash('sha256').update(key).digest('hex').slice(0, 8));
  t.strictSame(keysOf('page read'), ids);
  t.strictSame(keysOf('request completed'), [...ids, undefined], 'no id for who has no key');
  t.notMatch(lines.join(''), /long-secret/);
});
