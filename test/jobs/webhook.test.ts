import t from 'tap';
import { webhookHeaders } from '../../src/jobs/webhook.ts';

t.test('the signature of Standard Webhooks', async (t) => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const body = '{"test": 2432232314}';
  // As standardwebhooks 1.0.0, the library of the specification's authors, signs it.
  t.strictSame(webhookHeaders(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, body), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
  const plain = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64').toString('latin1');
  t.notSame(
    webhookHeaders(plain, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1614265330, body)['webhook-signature'],
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    'a plain text is taken as its UTF-8 bytes',
  );
});
