import type { IncomingMessage } from 'node:http';
import { finished } from 'node:stream';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { OcrError } from '../errors.ts';
import { giveBack } from '../give-back.ts';
import type { ByteAccount, ByteBudget } from './byte-budget.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body of the request, if it has one. */
    incomingBody: IncomingBody | null;
  }
}

/**
 * A body takes memory in steps of this many bytes, as it comes; one whose announced length is smaller gets it in one piece,
 * which is cheaper than asking the system for pages.
 */
const STEP_BYTES = 262_144;

/**
 * A body may come in this many pieces of any size; of more, each has to hold `LEAST_MEAN_BYTES` in the mean. One read of 64 KiB holds
 * 11,000 chunks of one byte, which take the event loop 15 ms, and libuv reads up to 32 times in a row: good requests waited for
 * 0.2 s. Who streams base64 line by line sends 76 bytes at a time; where a chunk crosses the end of a read, it counts twice.
 */
const FREE_PIECES = 10_000;
const LEAST_MEAN_BYTES = 16;

/** A connection that is cut stays open, unread, so that the answer gets to the client: closed with unread bytes it is reset. */
const CUT_AFTER_MS = 500;

/**
 * So much of one body is taken in one turn of the event loop. libuv reads up to 32 times 64 KiB from each connection: with 40
 * large bodies on their way one turn took 0.1 s, and a good request needs several.
 */
const TURN_BYTES = 65_536;

const EMPTY = Buffer.alloc(0);

/**
 * One request body on its way in. It is written into one piece of memory that grows where it is: Fastify would keep every
 * chunk as an object of its own (some 100 bytes even for one byte) and copy them all together at the end.
 */
class IncomingBody {
  readonly #raw: IncomingMessage;
  readonly #maxBytes: number;
  readonly #account: ByteAccount;
  readonly #received = Promise.withResolvers<Buffer>();
  readonly #take = (chunk: Buffer): void => {
    this.#shareTurn(chunk.length);
    this.#pieces += 1;
    this.#pieceBytes += chunk.length;
    if (this.#pieces > FREE_PIECES && this.#pieceBytes < LEAST_MEAN_BYTES * this.#pieces) return this.#cut();
    if (!this.#open) return;
    try {
      this.#add(chunk);
    } catch (error) {
      this.#refuse(error);
    }
  };
  /** Null until the first byte has come, and again when nobody needs the body any more. */
  #memory: Uint8Array<ArrayBuffer> | null = null;
  #length = 0;
  #open = true;
  #isCut = false;
  #pieces = 0;
  #pieceBytes = 0;
  #turnBytes = 0;

  constructor(raw: IncomingMessage, maxBytes: number, budget: ByteBudget) {
    this.#raw = raw;
    this.#maxBytes = maxBytes;
    this.#account = budget.open((reason) => this.#refuse(reason));
    // Who has not asked for the body need not hear that it did not come.
    this.#received.promise.catch(() => undefined);
  }

  /** To be called once. @throws the reason of the refusal: too large, evicted from the budget, or it did not come whole */
  receive(): Promise<Buffer> {
    if (this.#announced > this.#maxBytes) this.#refuse(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE());
    else this.#listen();
    finished(this.#raw, { writable: false }, (error) => {
      if (error) return this.#refuse(new errorCodes.FST_ERR_CTP_INVALID_CONTENT_LENGTH());
      this.#account.settle();
      const { buffer } = this.#memory ?? EMPTY;
      this.#received.resolve(Buffer.from(buffer, 0, this.#length));
    });
    return this.#received.promise;
  }

  /** The bytes are not needed any more, and neither is what still comes. */
  end(): void {
    this.#open = false;
    this.#account.close();
    // What still comes of a body that nobody wants is thrown away, so that the client gets to read its answer.
    if (!this.#isCut) this.#listen();
    if (this.#memory !== null) giveBack(this.#memory);
    this.#memory = null;
    this.#length = 0;
  }

  /** NaN if the client does not say. */
  get #announced(): number {
    return Number(this.#raw.headers['content-length'] ?? NaN);
  }

  #add(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) throw new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE();
    this.#account.add(chunk.length);
    // The account may just have been evicted.
    if (!this.#open) return;
    this.#memory ??= this.#allocate();
    const { buffer } = this.#memory;
    if (length > buffer.byteLength) {
      buffer.resize(Math.min(Math.ceil(length / STEP_BYTES) * STEP_BYTES, buffer.maxByteLength));
    }
    this.#memory.set(chunk, this.#length);
    this.#length = length;
  }

  #allocate(): Uint8Array<ArrayBuffer> {
    const announced = this.#announced;
    if (announced <= STEP_BYTES) return new Uint8Array(announced);
    return new Uint8Array(new ArrayBuffer(0, { maxByteLength: this.#maxBytes }));
  }

  #listen(): void {
    if (this.#raw.listenerCount('data') === 0) this.#raw.on('data', this.#take);
    this.#raw.resume();
  }

  #shareTurn(bytes: number): void {
    if (this.#turnBytes === 0) {
      setImmediate(() => {
        this.#turnBytes = 0;
        if (!this.#isCut) this.#raw.resume();
      });
    }
    this.#turnBytes += bytes;
    if (this.#turnBytes >= TURN_BYTES) this.#raw.pause();
  }

  /** Reads no more. */
  #cut(): void {
    this.#isCut = true;
    this.#raw.off('data', this.#take);
    this.#raw.pause();
    setTimeout(() => this.#raw.socket.destroy(), CUT_AFTER_MS).unref();
    this.#refuse(
      new OcrError(
        'INVALID_REQUEST',
        `The body comes in pieces of fewer than ${LEAST_MEAN_BYTES} bytes. Send it in larger ones.`,
      ),
    );
  }

  #refuse(reason: unknown): void {
    this.end();
    this.#received.reject(reason);
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Counts every request body, from its first byte to the end of the answer, and cuts off what the budget evicts. */
export function gateBodies(app: FastifyInstance, budget: ByteBudget): void {
  app.decorateRequest('incomingBody', null);
  app.addHook('preParsing', async (request, reply) => {
    const { raw, routeOptions } = request;
    if (!hasBody(raw)) return;
    const body = new IncomingBody(raw, routeOptions.bodyLimit ?? app.initialConfig.bodyLimit ?? 0, budget);
    request.incomingBody = body;
    const end = (): void => body.end();
    reply.raw.once('finish', end);
    reply.raw.once('close', end);
  });
  // Fastify closes the connection when a body was not taken. The system then resets it under a client that still sends,
  // which often loses the answer on its way; with the rest thrown away there is no need to.
  app.addHook('onError', async (request, reply) => {
    if (hasBody(request.raw)) reply.removeHeader('connection');
  });
}

/** The whole body of a request, for content type parsers. Its memory is given back with the answer. */
export async function receiveBody({ incomingBody }: FastifyRequest): Promise<Buffer> {
  return (await incomingBody?.receive()) ?? EMPTY;
}
