import http from 'node:http';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';

/** What a client saw of one request. */
export interface Answer {
  /** 0 when there was no whole answer; `code` is then Node's (ECONNRESET, ECONNREFUSED). */
  readonly status: number;
  /** Error code of the body, `OK` for a 200. */
  readonly code: string;
  readonly retryAfter: string | undefined;
  readonly body: string;
  /** From sending to the end of the answer, in milliseconds. */
  readonly ms: number;
}

export interface PostOptions {
  readonly agent?: http.Agent;
  readonly signal?: AbortSignal;
  /** Besides the content type and length. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The small picture that the engine itself is proved on, as a request body. */
export const SAMPLE_BODY = JSON.stringify({ img: SAMPLE_IMAGE_BASE64 });

export const bodyOf = (image: Uint8Array): string => JSON.stringify({ img: Buffer.from(image).toString('base64') });

/** Error code of an answer's body, `OK` for a 200. */
export function codeIn(status: number, body: string): string {
  if (status === 200) return 'OK';
  try {
    const parsed: unknown = JSON.parse(body);
    const code = typeof parsed === 'object' && parsed !== null && 'code' in parsed ? parsed.code : undefined;
    return typeof code === 'string' ? code : 'no code';
  } catch {
    return 'no JSON';
  }
}

/** `POST /general_ocr`. Never rejects: what went wrong is in the answer. */
export function post(serviceUrl: string, body: string, options: PostOptions = {}): Promise<Answer> {
  const start = performance.now();
  return new Promise((resolve) => {
    const request = http.request(`${serviceUrl}/general_ocr`, {
      ...options,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...options.headers,
      },
    });
    let answered = false;
    const fail = (error: NodeJS.ErrnoException): void => {
      // An answer may come before the whole body was sent; what breaks afterwards is not its fault.
      if (answered) return;
      resolve({
        status: 0,
        code: error.code ?? error.name,
        retryAfter: undefined,
        body: '',
        ms: performance.now() - start,
      });
    };
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        answered = true;
        const text = Buffer.concat(chunks).toString();
        const status = response.statusCode ?? 0;
        const retryAfter = response.headers['retry-after'];
        resolve({ status, code: codeIn(status, text), retryAfter, body: text, ms: performance.now() - start });
      });
    });
    request.end(body);
  });
}

/** Sends `body` again and again, `clients` at a time, until `until` is aborted; every answer goes to `onAnswer`. */
export async function closedLoop(
  serviceUrl: string,
  body: string,
  clients: number,
  until: AbortSignal,
  onAnswer: (answer: Answer, sentAt: number) => void,
): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  const client = async (): Promise<void> => {
    while (!until.aborted) {
      const sentAt = performance.now();
      const answer = await post(serviceUrl, body, { agent });
      onAnswer(answer, sentAt);
      // A service that is gone answers at once; do not spin.
      if (answer.status === 0) await pause(20);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks again every few milliseconds. @returns the milliseconds it took, or undefined when the time was up */
export async function waitFor(holds: () => Promise<boolean>, timeoutMs: number): Promise<number | undefined> {
  const start = performance.now();
  for (;;) {
    if (await holds()) return performance.now() - start;
    if (performance.now() - start > timeoutMs) return undefined;
    await pause(5);
  }
}

export async function statusOf(url: string): Promise<number> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

/** The sum of a metric over all its series; `labels` narrows it, as it stands in the text. */
export async function metric(serviceUrl: string, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${serviceUrl}/metrics`)).text();
  let sum = 0;
  for (const line of text.split('\n')) {
    const [, found, series = '', value] = /^([a-z0-9_]+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    if (found === name && series.includes(labels)) sum += Number(value);
  }
  return sum;
}

/** Engine processes that have read the sample and are alive. */
export async function workingProcesses(serviceUrl: string): Promise<number> {
  const [idle, busy] = await Promise.all(
    ['idle', 'busy'].map((state) => metric(serviceUrl, 'general_ocr_engine_processes', `"${state}"`)),
  );
  return idle + busy;
}
