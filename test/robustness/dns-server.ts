import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';

/** What a name is answered: addresses of both families, an error, or silence. */
export type DnsAnswer =
  { readonly addresses: readonly string[]; readonly cname?: string } | 'NXDOMAIN' | 'SERVFAIL' | 'silence';

export interface DnsServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  readonly questions: number;
  close(): void;
}

/** RFC 1035, section 3.2.2, and RFC 3596. */
const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
/** RFC 1035, section 4.1.1. */
const RCODES = { NXDOMAIN: 3, SERVFAIL: 2 } as const;

function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([...labels, Buffer.from([0])]);
}

function bytesOf(address: string): Buffer {
  if (net.isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes every form of an IPv6 address in one way, without dotted parts.
  const [head = '', tail = ''] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function record(name: Buffer, type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, fixed, data]);
}

function respond(query: Buffer, name: string, type: number, end: number, answer: DnsAnswer): Buffer {
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180 | (typeof answer === 'string' && answer !== 'silence' ? RCODES[answer] : 0), 2);
  const records: Buffer[] = [];
  if (typeof answer !== 'string') {
    const owner = encodeName(answer.cname ?? name);
    if (answer.cname !== undefined) records.push(record(encodeName(name), TYPE_CNAME, owner));
    for (const address of answer.addresses) {
      const family = net.isIPv4(address) ? TYPE_A : TYPE_AAAA;
      if (family === type) records.push(record(owner, type, bytesOf(address)));
    }
  }
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, query.subarray(12, end), ...records]);
}

/**
 * A name server over UDP on a free port of 127.0.0.1. Every answer lives 0 seconds.
 *
 * @param answer asked once for each question, so that it may change its mind; `type` is A or AAAA
 */
export async function startDnsServer(answer: (name: string, type: 'A' | 'AAAA') => DnsAnswer): Promise<DnsServer> {
  const socket = dgram.createSocket('udp4');
  let questions = 0;
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at]; length !== 0; length = query[at]) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join('.');
    const type = query.readUInt16BE(at + 1);
    questions += 1;
    const said = answer(name.toLowerCase(), type === TYPE_AAAA ? 'AAAA' : 'A');
    if (said !== 'silence') socket.send(respond(query, name, type, at + 5, said), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    get questions() {
      return questions;
    },
    close: () => void socket.close(),
  };
}
