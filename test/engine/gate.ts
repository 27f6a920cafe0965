import { once, on } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** A process that stands at the gate. */
export interface Visitor {
  readonly name: string;
  readonly pid: number;
  /** Lets it go on. */
  release(): void;
  /** Resolves when its connection is closed, by itself or because the process is gone. */
  readonly left: Promise<unknown>;
}

/** Where child processes stop until the test lets them go on: no sleeping, no guessing how fast they are. */
export interface Gate {
  readonly port: number;
  /** The next process that arrives, in order of arrival. */
  next(): Promise<Visitor>;
}

export async function openGate(t: { teardown(handler: () => unknown): unknown }): Promise<Gate> {
  const server = net.createServer();
  const sockets = new Set<net.Socket>();
  const arrivals = on(server, 'connection') as AsyncIterableIterator<[net.Socket]>;
  server.on('connection', (socket) => {
    sockets.add(socket);
    // A killed visitor may reset its connection.
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    async next() {
      const { value } = await arrivals.next();
      const [socket] = value as [net.Socket];
      // Not once() of node:events, which fails on a reset connection.
      const left = new Promise((resolve) => socket.once('close', resolve));
      const [data] = (await once(socket, 'data')) as [Buffer];
      const { name, pid } = JSON.parse(data.toString()) as { name: string; pid: number };
      return { name, pid, left, release: () => void socket.end('go') };
    },
  };
}

/** In a child process: stops at the gate until it is let through. */
export async function visitGate(port: number, name: string): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(JSON.stringify({ name, pid: process.pid }));
  await once(socket, 'data');
  socket.destroy();
}
