import type { FastifyInstance, FastifyRequest } from 'fastify';
import { OcrError } from '../errors.ts';
import { receiveBody } from './body-gate.ts';
import { liftImage } from './inline-image.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The file of `img`, where it was decoded while the body was parsed; `img` then holds a placeholder. */
    inlineImage: Buffer | null;
  }
}

/**
 * Values that a body may hold. The API needs three; clients send some of their own along. Each becomes an object of 32
 * bytes and more, so that 10 MB of nested arrays held the event loop for 1.5 s and took over 1 GB (measured), and the 70 MB
 * that a body may have would end the process.
 */
const MAX_VALUES = 10_000;

/** A value needs one of these before it; none of them is in the alphabet of base64. Those inside of texts count as well. */
const SEPARATORS = ['[', '{', ','] as const;

/** Whether a JSON text may hold more than `MAX_VALUES` values, told without parsing it. */
function holdsTooMuch(body: Buffer): boolean {
  let count = 0;
  for (const separator of SEPARATORS.map((character) => character.charCodeAt(0))) {
    for (let at = body.indexOf(separator); at >= 0; at = body.indexOf(separator, at + 1)) {
      count += 1;
      if (count > MAX_VALUES) return true;
    }
  }
  return false;
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, name)?.value : undefined;

/**
 * Takes JSON bodies as Fastify does (`__proto__` and `constructor` are dropped), except those built to exhaust the parser.
 * A large picture in `img` is decoded on the way, see `liftImage`.
 */
export function acceptJson(app: FastifyInstance, maxImageBytes: number): void {
  const parser = app.getDefaultJsonParser('remove', 'remove');
  const parse = (request: FastifyRequest, text: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      void parser(request, text, (error, value) => (error === null ? resolve(value) : reject(error)));
    });

  app.decorateRequest('inlineImage', null);
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', async (request: FastifyRequest): Promise<unknown> => {
    const body = await receiveBody(request);
    if (holdsTooMuch(body)) {
      const reason = `The body holds more than ${MAX_VALUES} values. Send \`url\` or \`img\`, and \`duration\` if wanted; nothing else is needed.`;
      throw new OcrError('INVALID_REQUEST', reason);
    }
    const lifted = liftImage(body);
    if (lifted !== undefined) {
      const value = await parse(request, lifted.json);
      const isPicture = fieldOf(value, 'img') === lifted.placeholder;
      // `url` has priority: nobody will look at the picture.
      if (isPicture && fieldOf(value, 'url') !== undefined) return value;
      if (isPicture) request.inlineImage = (await lifted.decode(maxImageBytes)) ?? null;
      if (request.inlineImage !== null) return value;
    }
    return parse(request, body.toString('utf8'));
  });
}
