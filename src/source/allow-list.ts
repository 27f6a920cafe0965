import net from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** What OCR_SOURCE_ALLOW lifts: the private-address rule and the port rule, for exactly these. */
export interface AllowList {
  /** `host` as `new URL()` writes it, without a final dot. */
  hasHost(host: string, port: number): boolean;
  /** `address` is a literal without brackets or zone. */
  hasAddress(address: string, port: number): boolean;
  /** Whether some address or network of the list is open at this port, so that a name has to be looked up first. */
  opensPort(port: number): boolean;
}

interface HostEntry {
  readonly host: string;
  readonly port: number | undefined;
}

interface NetworkEntry {
  readonly network: Address;
  readonly prefixLength: number;
  readonly port: number | undefined;
}

/**
 * Parses entries like `files.lan`, `minio:9000`, `10.2.0.0/16`, `10.2.0.7:8080`, `10.2.0.0/16:8080`, `fd00::1`, `fd00::/8`,
 * `[fd00::1]:80` and `[fd00::/8]:80`. Without a port an entry is open at every port. A host entry trusts whatever
 * address its name resolves to.
 *
 * @throws {Error} naming the entry that is none of these; meant for the operator at start
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const hosts: HostEntry[] = [];
  const networks: NetworkEntry[] = [];
  for (const entry of entries) {
    const { target, port } = splitPort(entry);
    const network = parseNetwork(target);
    if (network === undefined) hosts.push({ host: parseHost(target, entry), port });
    else networks.push({ ...network, port });
  }
  const opens = (rule: { port: number | undefined }, port: number): boolean =>
    rule.port === undefined || rule.port === port;
  return {
    hasHost: (host, port) => hosts.some((rule) => rule.host === host && opens(rule, port)),
    hasAddress: (address, port) => {
      if (!ipaddr.isValid(address)) return false;
      const candidate = ipaddr.process(address);
      return networks.some((rule) => opens(rule, port) && contains(rule, candidate));
    },
    opensPort: (port) => networks.some((rule) => opens(rule, port)),
  };
}

function contains(rule: NetworkEntry, candidate: Address): boolean {
  return rule.network.kind() === candidate.kind() && candidate.match(rule.network, rule.prefixLength);
}

/** A bare IPv6 address has colons of its own: its port needs the brackets of RFC 3986. */
function splitPort(entry: string): { target: string; port: number | undefined } {
  const parts = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry) ?? /^([^:]*):(\d+)$/.exec(entry);
  if (parts === null) return { target: entry, port: undefined };
  const [, target, digits] = parts;
  if (digits === undefined) return { target, port: undefined };
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw badEntry(entry);
  return { target, port };
}

function parseNetwork(target: string): { network: Address; prefixLength: number } | undefined {
  const [literal, length] = target.split('/', 2);
  // net.isIP: four decimal parts only, where ipaddr.js would read 0x7f.1 and octal numbers as well.
  if (net.isIP(literal) === 0 || literal.includes('%')) return undefined;
  const network = ipaddr.parse(literal);
  const bits = network.kind() === 'ipv4' ? 32 : 128;
  if (length === undefined) {
    const single = ipaddr.process(literal);
    return { network: single, prefixLength: single.kind() === 'ipv4' ? 32 : 128 };
  }
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  return { network, prefixLength: Number(length) };
}

function parseHost(target: string, entry: string): string {
  // One spelling for both sides of the comparison: URL lower-cases and applies IDNA (RFC 5891).
  const host = URL.parse(`http://${target}/`);
  const plain = host !== null && host.host === host.hostname && host.username === '' && host.pathname === '/';
  if (target === '' || !plain || /[/\\?#@:\s]/.test(target) || net.isIP(host.hostname) !== 0) throw badEntry(entry);
  return host.hostname.replace(/\.$/, '');
}

function badEntry(entry: string): Error {
  return new Error(
    `OCR_SOURCE_ALLOW has an entry that cannot be read: ${JSON.stringify(entry)}. ` +
      'Write a host, an IP address or a network, each with an optional port: files.lan, minio:9000, 10.2.0.0/16, [fd00::1]:80',
  );
}
