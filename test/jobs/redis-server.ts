import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';

/** A real Redis with an append-only file, on a free port of 127.0.0.1, in a folder of its own. */
export interface RedisServer {
  readonly url: string;
  /** Ends the server with a signal and starts it again on what it has written. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Ends it until `start`. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes the folder. */
  remove(): Promise<void>;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

/** REDIS_SERVER names the program where it is not on the PATH; Valkey's will do as well. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'general-ocr-redis-'));
  const port = await freePort();
  const program = process.env.REDIS_SERVER ?? 'redis-server';
  let server: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    server = child;
    await once(child, 'spawn').catch((error: unknown) => {
      throw new Error(
        `${program} cannot be started (${String(error)}): the tests of jobs need a real Redis. Install it (apt-get install redis-server) or name it in REDIS_SERVER.`,
      );
    });
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stdout.on('data', (data: Buffer) => {
        said += data.toString();
        if (said.includes('Ready to accept connections')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code}:\n${said}`)));
    });
  };
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop,
    async restart(signal) {
      await stop(signal);
      await start();
    },
    async remove() {
      await stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
