import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** One IPv4 or IPv6 destination of a connect() or sendto(), as the kernel was given it. */
export interface Destination {
  readonly address: string;
  readonly port: number;
}

export interface Trace {
  /** Stops tracing and gives everything that was dialled meanwhile. */
  stop(): Promise<Destination[]>;
}

const IPV4 = /sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)/;
const IPV6 = /sin6_port=htons\((\d+)\)[^}]*inet_pton\(AF_INET6, "([^"]+)"/;

/** The destinations in the output of strace. */
export function destinations(trace: string): Destination[] {
  const found: Destination[] = [];
  for (const line of trace.split('\n')) {
    // What came in is no business of these: only calls that name where to.
    if (!/\b(connect|sendto|sendmsg|sendmmsg)\(/.test(line)) continue;
    const [, port, address] = IPV4.exec(line) ?? IPV6.exec(line) ?? [];
    if (address !== undefined) found.push({ address, port: Number(port) });
  }
  return found;
}

/**
 * Watches a process and its threads with strace (Debian package `strace`): what the kernel is asked to dial, whatever the
 * program believes.
 */
export async function traceConnections(pid: number): Promise<Trace> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'general-ocr-trace-'));
  const file = path.join(folder, 'trace');
  const calls = 'trace=connect,sendto,sendmsg,sendmmsg';
  const tracer = spawn('strace', ['-f', '-s', '0', '-e', calls, '-o', file, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Prints "Process N attached" once it watches.
  await Promise.race([
    once(tracer.stderr, 'data'),
    once(tracer, 'exit').then(([code]) => Promise.reject(new Error(`strace ended with ${code}`))),
  ]);
  tracer.stderr.resume();
  return {
    async stop() {
      tracer.kill('SIGINT');
      await once(tracer, 'exit');
      const found = destinations(readFileSync(file, 'utf8'));
      rmSync(folder, { recursive: true });
      return found;
    },
  };
}
