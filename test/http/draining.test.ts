import Fastify from 'fastify';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { watchClosing } from '../../src/http/draining.ts';
import { handleError } from '../../src/http/error-handler.ts';

t.test('a request that outlasts the patience is answered 503, and closing ends', async (t) => {
  const app = Fastify();
  app.decorateReply('errorCode', null);
  app.setErrorHandler(handleError);
  const draining = watchClosing(app, 20);
  const started = Promise.withResolvers<undefined>();
  app.get('/', () => {
    started.resolve(undefined);
    return new Promise((_resolve, reject) => {
      draining.signal.addEventListener('abort', () => reject(draining.signal.reason));
    });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  t.equal(draining.begun, false);
  const answer = fetch(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`);
  await started.promise;
  const closed = app.close();
  const response = await answer;
  t.equal(draining.begun, true);
  t.equal(response.status, 503);
  t.equal(response.headers.get('connection'), 'close');
  t.match(await response.json(), { code: 'UNAVAILABLE', message: /shutting down/ });
  await closed;
});
