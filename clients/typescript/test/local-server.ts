import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** What to do with a request; the last one also with all that follow. */
export type Reaction = (response: ServerResponse) => void;

/** A real HTTP server that reacts as told, for as long as the test runs. */
export async function localServer(
  t: TestContext,
  reactions: readonly Reaction[],
): Promise<{ readonly url: string; readonly seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const reaction = reactions[Math.min(seen.length, reactions.length - 1)];
    seen.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
    reaction?.(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** Answers as the service does. */
export const answer =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reaction =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

/** Refuses as the service does. */
export const refuse = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reaction =>
  answer(status, { statusCode: status, error: 'x', code, message: `about ${code}`, requestId: 'r1' }, headers);
