import { createHmac } from 'node:crypto';

/** How operators and receivers write secrets of Standard Webhooks: this, then base64. */
const SECRET_PREFIX = 'whsec_';

/**
 * Headers of a webhook after Standard Webhooks 1.0 (standardwebhooks.com), so that receivers verify it with a library that
 * they have: HMAC-SHA256 over id, time and body.
 *
 * @param secret `whsec_` and base64, or any text, whose UTF-8 bytes are then the key
 * @param id the same for every attempt to deliver a message, so that a receiver tells repetitions
 * @param seconds since 1970
 */
export function webhookHeaders(secret: string, id: string, seconds: number, body: string): Record<string, string> {
  const key = secret.startsWith(SECRET_PREFIX)
    ? Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')
    : Buffer.from(secret, 'utf8');
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}
