import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { startService } from '../running-service.ts';
import { post, type Answer } from './client.ts';
import { traceConnections, type Destination } from './connections.ts';
import { startDnsServer, type DnsAnswer } from './dns-server.ts';
import { pidOf } from './processes.ts';
import { milliseconds, Report, tally } from './report.ts';

/** Stands for a public host: the one address that the service may reach. */
const ALLOWED = '127.0.0.2';
/** Stands for what lies inside: never to be reached. */
const FORBIDDEN = '127.0.0.1';

interface Vectors {
  readonly non_public_ip: readonly string[];
  readonly urls_blocked: readonly string[];
}

interface Host {
  connections: number;
  readonly port: number;
  close(): void;
}

async function listen(address: string, port: number, handler: http.RequestListener): Promise<Host> {
  const server = http.createServer(handler);
  const host = { connections: 0, port, close: () => void server.close() };
  server.on('connection', () => (host.connections += 1));
  server.listen(port, address);
  await once(server, 'listening');
  host.port = (server.address() as AddressInfo).port;
  return host;
}

/** Answers of names that end in `.test`; what is not here does not exist. */
function nameServer(vectors: Vectors): (name: string, type: 'A' | 'AAAA') => DnsAnswer {
  const fixed: Record<string, DnsAnswer> = {
    'allowed.test': { addresses: [ALLOWED] },
    'forbidden.test': { addresses: [FORBIDDEN] },
    'mixed.test': { addresses: [ALLOWED, FORBIDDEN] },
    'mixed6.test': { addresses: [ALLOWED, '::1'] },
    'mapped.test': { addresses: ['::ffff:127.0.0.1'] },
    'nat64.test': { addresses: ['64:ff9b::7f00:1'] },
    'cname.test': { cname: 'localhost', addresses: [FORBIDDEN] },
    'empty.test': { addresses: [] },
    'servfail.test': 'SERVFAIL',
    'silent.test': 'silence',
    'metadata.google.internal': { addresses: ['169.254.169.254'] },
  };
  vectors.non_public_ip.forEach((address, index) => (fixed[`n${index}.test`] = { addresses: [address] }));
  let turn = 0;
  return (name, type) => {
    // Rebinding: a name that is the allowed host and the forbidden one by turns, question by question.
    if (name.endsWith('.rebind.test')) {
      if (type === 'AAAA') return { addresses: [] };
      turn += 1;
      return { addresses: [turn % 2 === 1 ? ALLOWED : FORBIDDEN] };
    }
    return fixed[name] ?? 'NXDOMAIN';
  };
}

const kind = ({ status, code }: Answer): string => `${status} ${code}`;
const textOf = (answer: Answer): string => String((JSON.parse(answer.body) as { message: unknown }).message);

/** `ssrf [VECTORS.json] [--calls 1000]`; needs `strace`. */
export async function run(args: readonly string[]): Promise<Report> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { calls: { type: 'string', default: '1000' } },
  });
  const vectors: Vectors =
    positionals[0] === undefined
      ? { non_public_ip: ['10.0.0.1', '169.254.169.254', '::1', 'fe80::1'], urls_blocked: ['http://127.0.0.1/'] }
      : (JSON.parse(readFileSync(positionals[0], 'utf8')) as Vectors);
  const report = new Report();
  const redirects: string[] = [];
  const allowed = await listen(ALLOWED, 0, (request, response) => {
    const index = /^\/to\/(\d+)$/.exec(request.url ?? '')?.[1];
    if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
    else if (index === undefined) response.writeHead(404).end();
    // Written by hand: Node refuses line breaks in a header, an evil origin does not.
    else
      response.socket?.end(`HTTP/1.1 302 Found\r\nlocation: ${redirects[Number(index)]}\r\ncontent-length: 0\r\n\r\n`);
  });
  const forbidden = await listen(FORBIDDEN, allowed.port, (_request, response) => response.end('secret'));
  const dns = await startDnsServer(nameServer(vectors));
  const service = await startService({
    OCR_ENGINE_PROCESSES: '1',
    OCR_SOURCE_ALLOW: `${ALLOWED}:${allowed.port}`,
    OCR_FETCH_TIMEOUT_MS: '4000',
    NODE_OPTIONS: `--import ${new URL('./use-test-resolver.ts', import.meta.url).href}`,
    TEST_DNS: dns.address,
  });
  const ask = (url: string): Promise<Answer> => post(service.url, JSON.stringify({ url }));
  const traced = async (work: () => Promise<void>): Promise<Destination[]> => {
    const trace = await traceConnections(pidOf(service.process));
    await work();
    return trace.stop();
  };
  const isDns = ({ address, port }: Destination): boolean => `${address}:${port}` === dns.address;
  const isAllowed = ({ address, port }: Destination): boolean => address === ALLOWED && port === allowed.port;
  const noneBut = (what: string, dialled: readonly Destination[], mayAllowed: boolean): void => {
    const wrong = dialled.filter((one) => !isDns(one) && !(mayAllowed && isAllowed(one)));
    const names = tally(wrong.map(({ address, port }) => `${address}:${port}`));
    report.check(
      `${what}: ${dialled.length} seen by the kernel, to anything not allowed: ${names}`,
      wrong.length === 0,
    );
  };
  const allRefused = (what: string, answers: readonly Answer[]): void =>
    report.check(
      `${answers.length} ${what}: ${tally(answers.map(kind))}`,
      answers.every(({ status }) => status === 400),
    );

  const control = await traced(async () => void (await ask(`http://allowed.test:${allowed.port}/missing`)));
  report.check('the count works: an allowed address is dialled', control.some(isAllowed) && allowed.connections === 1);

  const asUrl: Answer[] = [];
  noneBut(
    'connections for them',
    await traced(async () => {
      for (const url of vectors.urls_blocked) asUrl.push(await ask(url));
    }),
    false,
  );
  allRefused('addresses as `url`', asUrl);

  const asName: Answer[] = [];
  const names = vectors.non_public_ip.map((_address, index) => `n${index}.test`);
  noneBut(
    'connections for them',
    await traced(async () => {
      for (const name of names) asName.push(await ask(`http://${name}/`));
    }),
    false,
  );
  allRefused('addresses as an answer of the resolver', asName);

  redirects.push(
    ...vectors.urls_blocked.map((url) => url.replace(/[^\x20-\x7e]/g, (character) => encodeURIComponent(character))),
    `http://forbidden.test:${allowed.port}/`,
    'http://[::ffff:169.254.169.254]/',
    's3://bucket/key',
    `//127.0.0.1:${forbidden.port}/`,
    `http://127.0.0.1:${forbidden.port}/`,
    `/x\r\nlocation: http://127.0.0.1:${forbidden.port}/`,
    '/loop',
  );
  const asRedirect: Answer[] = [];
  noneBut(
    'connections for them',
    await traced(async () => {
      for (const index of redirects.keys()) {
        asRedirect.push(await ask(`http://${ALLOWED}:${allowed.port}/to/${index}`));
      }
    }),
    true,
  );
  allRefused('addresses as the target of a redirect', asRedirect);

  const odd = ['forbidden', 'mixed', 'mixed6', 'mapped', 'nat64', 'cname', 'empty', 'servfail', 'silent', 'missing'];
  const oddAnswers: Answer[] = [];
  noneBut(
    'connections for odd answers of the resolver',
    await traced(async () => {
      for (const name of odd) oddAnswers.push(await ask(`http://${name}.test:${allowed.port}/`));
    }),
    false,
  );
  const away = await ask(`http://allowed.test:${allowed.port}/missing`);
  const texts = new Set([...oddAnswers, away].map((answer) => `${kind(answer)} ${textOf(answer)}`));
  report.check(
    `refused, unreachable and missing (${odd.join(', ')}, and a 404): ${texts.size} code and text`,
    texts.size === 1,
  );
  report.note(`the slowest of them after ${milliseconds(Math.max(...oddAnswers.map(({ ms }) => ms)))}`);

  const calls = Number(values.calls);
  const before = { allowed: allowed.connections, forbidden: forbidden.connections };
  const rebound: Answer[] = [];
  const rebinding = await traced(async () => {
    for (let call = 0; call < calls; call += 20) {
      const batch = Array.from({ length: Math.min(20, calls - call) }, (_, i) =>
        ask(`http://r${call + i}.rebind.test:${allowed.port}/x`),
      );
      rebound.push(...(await Promise.all(batch)));
    }
  });
  noneBut(`connections in ${calls} calls to a name that changes its address with every question`, rebinding, true);
  report.check(
    `accepted by the forbidden host: ${forbidden.connections - before.forbidden}; by the allowed one: ${allowed.connections - before.allowed}; ${tally(rebound.map(kind))}`,
    forbidden.connections === 0 && allowed.connections - before.allowed >= calls / 4,
  );
  report.check('the server ends with 0', (await service.stop()) === 0);
  dns.close();
  allowed.close();
  forbidden.close();
  return report;
}
