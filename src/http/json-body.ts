import type { FastifyInstance } from 'fastify';
import { OcrError } from '../errors.ts';

/**
 * Values that a body may hold. The API needs three; clients send some of their own along. Each becomes an object of 32
 * bytes and more, so that 10 MB of nested arrays held the event loop for 1.5 s and took over 1 GB (measured), and the 70 MB
 * that a body may have would end the process.
 */
const MAX_VALUES = 10_000;

/** A value needs one of these before it; none of them is in the alphabet of base64. Those inside of texts count as well. */
const SEPARATORS = ['[', '{', ','] as const;

/** Whether a JSON text may hold more than `MAX_VALUES` values, told without parsing it. */
function holdsTooMuch(text: string): boolean {
  let count = 0;
  for (const separator of SEPARATORS) {
    for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, at + 1)) {
      count += 1;
      if (count > MAX_VALUES) return true;
    }
  }
  return false;
}

/** Takes JSON bodies as Fastify does (`__proto__` and `constructor` are dropped), except those built to exhaust the parser. */
export function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('remove', 'remove');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (holdsTooMuch(body)) {
      const reason = `The body holds more than ${MAX_VALUES} values. Send \`url\` or \`img\`, and \`duration\` if wanted; nothing else is needed.`;
      done(new OcrError('INVALID_REQUEST', reason));
      return;
    }
    parse(request, body, done);
  });
}
