import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import type { Test } from 'tap';
import { TLS_CERTIFICATE, TLS_KEY } from './tls-certificate.ts';

export interface LocalOrigin {
  readonly port: number;
  /** `127.0.0.1:PORT`: what an allow list needs to name. */
  readonly host: string;
  readonly requests: http.IncomingMessage[];
  /** Connections accepted so far: counted at the socket, whatever came over it. */
  connections(): number;
  /** Settles when every connection accepted so far is closed. */
  allClosed(): Promise<void>;
}

/** Serves `handler` on a free port of 127.0.0.1 until the test ends. */
export async function startOrigin(
  t: Test,
  handler: http.RequestListener,
  scheme: 'http' | 'https' = 'http',
): Promise<LocalOrigin> {
  const requests: http.IncomingMessage[] = [];
  const listener: http.RequestListener = (request, response) => {
    requests.push(request);
    handler(request, response);
  };
  const server =
    scheme === 'http'
      ? http.createServer(listener)
      : https.createServer({ cert: TLS_CERTIFICATE, key: TLS_KEY }, listener);
  return serve(t, server, requests);
}

/** A TCP server that is handed each connection: for answers that `node:http` would not send. */
export async function startRawOrigin(t: Test, onConnection: (socket: Socket) => void): Promise<LocalOrigin> {
  return serve(t, net.createServer(onConnection), []);
}

async function serve(t: Test, server: net.Server, requests: http.IncomingMessage[]): Promise<LocalOrigin> {
  const closed: Promise<unknown>[] = [];
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    // A client that walks away in the middle is what many of these tests are about.
    socket.on('error', () => {});
    closed.push(new Promise((resolve) => socket.once('close', resolve)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    port: address.port,
    host: `127.0.0.1:${address.port}`,
    requests,
    connections: () => closed.length,
    allClosed: async () => void (await Promise.all(closed)),
  };
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  server.close();
  await once(server, 'close');
  return address.port;
}
