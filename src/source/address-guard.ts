import dns from 'node:dns/promises';
import net from 'node:net';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';
import { abortable } from './abortable.ts';
import { parseAllowList } from './allow-list.ts';
import { addressNotAllowed, describeError, sourceUnavailable } from './source-errors.ts';

/** Gives every address of a name, in the order in which they are to be tried. Rejects for a name that has none. */
export type Lookup = (hostname: string) => Promise<readonly string[]>;

export interface AddressGuardOptions {
  /** Entries of OCR_SOURCE_ALLOW (see `parseAllowList`). */
  readonly allow: readonly string[];
  /** Ports that may be dialled on public addresses. */
  readonly urlPorts: readonly number[];
  /** Longest wait for a name's addresses in milliseconds. */
  readonly lookupTimeoutMs: number;
  readonly lookup?: Lookup | undefined;
}

export interface AddressGuard {
  /**
   * Decides whether `url` may be dialled and at which addresses; only those may then be connected to (`pinnedConnector`).
   * Every address of a name must be allowed: a mixed answer is a rebinding attempt or a mistake, and either is refused.
   *
   * @throws {OcrError} SOURCE_NOT_ALLOWED when the text alone forbids it, SOURCE_UNAVAILABLE when the resolver's answer
   *   does or there is none (why the two differ: source-errors.ts); `signal.reason` when aborted
   */
  resolve(url: URL, signal: AbortSignal): Promise<readonly string[]>;
}

/** All IPv6 global unicast space that IANA has ever allocated from (RFC 4291 section 2.4, ipv6-address-space registry). */
const IPV6_GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Whether an address literal is global unicast, i.e. neither private nor special nor a wrapping of another address.
 *
 * ipaddr.js names the special-purpose ranges of the IANA registries (RFC 6890, RFC 8190), 6to4, Teredo, NAT64,
 * 5f00::/16, 3fff::/20 and 192.88.99.0/24 among them. It takes the rest of IPv6 for unicast, `::a9fe:a9fe`
 * (IPv4-compatible, RFC 4291 section 2.5.5.1) included, so anything outside 2000::/3 is refused here; and it does not
 * know ISATAP, which has no prefix of its own. An IPv4-mapped address (RFC 4291 section 2.5.5.2) counts as the IPv4
 * address that the socket would dial. What can't be seen: a NAT64 with a prefix of the network's own.
 */
export function isGlobalUnicast(address: string): boolean {
  // A zone ("fe80::1%eth0") only makes sense on a link.
  if (net.isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  return !(parsed instanceof ipaddr.IPv6) || (parsed.match(IPV6_GLOBAL_UNICAST) && !isIsatap(parsed));
}

/** RFC 5214 section 6.1: interface identifier 0000:5efe or 0200:5efe, then the IPv4 address of the tunnel's end. */
function isIsatap(address: ipaddr.IPv6): boolean {
  return (address.parts[4] & 0xfdff) === 0 && address.parts[5] === 0x5efe;
}

/** RFC 6761 section 6.3: these names are the loopback addresses whatever a resolver says. */
const isLocalhost = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost');
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

const lookupAll: Lookup = async (hostname) =>
  (await dns.lookup(hostname, { all: true })).map((answer) => answer.address);

/** @throws {Error} for an `allow` entry that cannot be read */
export function createAddressGuard(options: AddressGuardOptions): AddressGuard {
  const { urlPorts, lookupTimeoutMs, lookup = lookupAll } = options;
  const allow = parseAllowList(options.allow);

  const mayDial = (host: string, address: string, port: number): boolean =>
    allow.hasHost(host, port) ||
    allow.hasAddress(address, port) ||
    (isGlobalUnicast(address) && urlPorts.includes(port));

  /** Everything that can be told without the network. */
  function refuseByText(url: URL, host: string, port: number): void {
    const detail = `${host}:${port} refused by the address guard`;
    if (url.username !== '' || url.password !== '') {
      throw addressNotAllowed('it holds a user name or a password; remove the part before "@"', detail);
    }
    const literals = net.isIP(host) !== 0 ? [host] : isLocalhost(host) ? LOOPBACK : [];
    const isName = literals.length === 0;
    // A name behind another port is looked up only if the list opens that port for some address.
    const mayPass = isName
      ? urlPorts.includes(port) || allow.hasHost(host, port) || allow.opensPort(port)
      : literals.some((literal) => mayDial(host, literal, port));
    if (mayPass) return;
    if (isName || literals.every(isGlobalUnicast)) {
      const ports = urlPorts.join(', ');
      throw addressNotAllowed(`port ${port} is not one of ${ports} (the operator sets OCR_URL_PORTS)`, detail);
    }
    const fix = 'send the image as `img`, or have the operator name the host in OCR_SOURCE_ALLOW';
    throw addressNotAllowed(`only public addresses are read; ${fix}`, detail);
  }

  async function lookUp(host: string, signal: AbortSignal): Promise<readonly string[]> {
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(lookupTimeoutMs)]);
      return await abortable(lookup(host), limit);
    } catch (error) {
      signal.throwIfAborted();
      throw sourceUnavailable(`lookup of ${host}: ${describeError(error)}`);
    }
  }

  return {
    async resolve(url, signal) {
      const host = hostOf(url);
      const port = portOf(url);
      refuseByText(url, host, port);
      if (net.isIP(host) !== 0) return [host];
      const addresses = await lookUp(host, signal);
      if (addresses.length === 0) throw sourceUnavailable(`${host} has no address`);
      const refused = addresses.find((address) => !mayDial(host, address, port));
      if (refused !== undefined) {
        throw sourceUnavailable(`${host}:${port} resolves to ${refused}, refused by the address guard`);
      }
      return addresses;
    },
  };
}

/** Without brackets and without the root's dot, so that `localhost.` and `localhost` are one name. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

/** `URL` leaves out the scheme's own port. */
const portOf = (url: URL): number => (url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port));

export interface PinnedConnectorOptions {
  /** As given by `AddressGuard.resolve`; tried in turn (RFC 8305), nothing else is ever dialled. */
  readonly addresses: readonly string[];
  /** Longest time for TCP and TLS together, in milliseconds. */
  readonly timeoutMs: number;
  /** Closes a connection that is still being made. */
  readonly signal: AbortSignal;
}

/**
 * A connector for undici that dials only the given addresses: the name is never looked up a second time, so an answer
 * that changes after the check (DNS rebinding) changes nothing. undici does not ask `lookup` for literals, which is
 * why those are checked before and `remoteAddress` after the connection.
 */
export function pinnedConnector(options: PinnedConnectorOptions): buildConnector.connector {
  const { addresses, timeoutMs, signal } = options;
  const answers = addresses.map((address) => ({ address, family: net.isIP(address) }));
  const lookup: net.LookupFunction = (_hostname, { all }, callback) => {
    if (all === true) callback(null, answers);
    else callback(null, answers[0].address, answers[0].family);
  };
  const pinned = new Set(addresses.map(canonical));
  // h1 only: one request a connection gains nothing from HTTP/2 and its larger attack surface.
  // `port` is overwritten by each request; the type of net.connect's options asks for one.
  const connect = buildConnector({ allowH2: false, timeout: timeoutMs, lookup, signal, port: 0 });
  return (request, callback) => {
    connect(request, (...result) => {
      const [error, socket] = result;
      if (error !== null) return callback(error, null);
      const remote = socket.remoteAddress;
      if (remote !== undefined && pinned.has(canonical(remote))) return callback(null, socket);
      socket.destroy();
      callback(new Error(`connected to ${remote ?? 'nothing'}, which was not checked`), null);
    });
  };
}

const canonical = (address: string): string =>
  ipaddr.isValid(address) ? ipaddr.process(address).toNormalizedString() : address;
