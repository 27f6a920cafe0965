import type { IncomingMessage } from 'node:http';
import { finished, Transform } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { ByteAccount, ByteBudget } from './byte-budget.ts';

/**
 * Bytes that are collected before they are passed on. Fastify keeps every chunk as an object of its own (some 100 bytes),
 * so that a body of one-byte chunks would take a hundred times its size; one that is stalled holds this much.
 */
const BLOCK_BYTES = 16_384;

/** Passes a body on in blocks and counts it. */
class BodyGate extends Transform {
  readonly #account: ByteAccount;
  #block: Buffer | undefined;
  #length = 0;

  constructor(account: ByteAccount) {
    super();
    this.#account = account;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#account.add(chunk.length);
    if (this.#length + chunk.length > BLOCK_BYTES) this.#pass();
    if (chunk.length >= BLOCK_BYTES) {
      this.push(chunk);
    } else {
      this.#block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
      this.#length += chunk.copy(this.#block, this.#length);
    }
    done();
  }

  override _flush(done: () => void): void {
    this.#pass();
    this.#account.settle();
    done();
  }

  #pass(): void {
    if (this.#block !== undefined) this.push(this.#block.subarray(0, this.#length));
    this.#block = undefined;
    this.#length = 0;
  }
}

/** What still comes of a body that nobody wants is thrown away, so that the client gets to read its answer. */
function discardRest(body: IncomingMessage, gate: BodyGate): void {
  body.unpipe(gate);
  body.resume();
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Counts every request body, from its first byte to the end of the answer, and cuts off what the budget evicts. */
export function gateBodies(app: FastifyInstance, budget: ByteBudget): void {
  app.addHook('preParsing', (request, reply, payload, done) => {
    const { raw } = request;
    if (!hasBody(raw)) return done(null, payload);
    const account = budget.open((reason) => {
      discardRest(raw, gate);
      gate.destroy(reason);
    });
    const gate = new BodyGate(account);
    const end = (): void => {
      account.close();
      discardRest(raw, gate);
    };
    reply.raw.once('finish', end);
    reply.raw.once('close', end);
    // pipe() tells nothing of a connection that breaks off.
    finished(raw, { writable: false }, (error) => {
      if (error) gate.destroy(error);
    });
    done(null, raw.pipe(gate));
  });
  // Fastify closes the connection when a body was not taken. The system then resets it under a client that still sends,
  // which often loses the answer on its way; with the rest thrown away there is no need to.
  app.addHook('onError', async (request, reply) => {
    if (hasBody(request.raw)) reply.removeHeader('connection');
  });
}
