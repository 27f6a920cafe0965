import type net from 'node:net';
import t from 'tap';
import { createAddressGuard, isGlobalUnicast, type Lookup, pinnedConnector } from '../../src/source/address-guard.ts';
import { startOrigin } from './local-origin.ts';

const never = new AbortController().signal;

/** Mostly from the IANA special-purpose registries (RFC 6890) and from what other guards were fooled by. */
const NOT_PUBLIC: [address: string, why: string][] = [
  ['0.0.0.0', 'RFC 1122 3.2.1.3 this host; Linux dials itself'],
  ['0.1.2.3', 'RFC 1122 3.2.1.3 this network'],
  ['10.0.0.1', 'RFC 1918 private'],
  ['172.16.0.1', 'RFC 1918 private'],
  ['172.31.255.254', 'RFC 1918 private, last'],
  ['192.168.1.1', 'RFC 1918 private'],
  ['100.64.0.0', 'RFC 6598 shared, first'],
  ['100.100.100.200', 'RFC 6598 shared: a cloud metadata service'],
  ['100.127.255.255', 'RFC 6598 shared, last'],
  ['127.0.0.1', 'RFC 1122 loopback'],
  ['127.255.255.254', 'RFC 1122 loopback'],
  ['169.254.169.254', 'RFC 3927 link local: cloud metadata'],
  ['169.254.170.2', 'RFC 3927 link local: container credentials'],
  ['192.0.0.1', 'RFC 6890 IETF protocol assignments'],
  ['192.0.0.192', 'RFC 6890: a cloud metadata service'],
  ['192.0.2.1', 'RFC 5737 documentation'],
  ['198.51.100.1', 'RFC 5737 documentation'],
  ['203.0.113.1', 'RFC 5737 documentation'],
  ['192.88.99.1', 'RFC 7526 6to4 relay anycast'],
  ['198.18.0.1', 'RFC 2544 benchmarking'],
  ['198.19.255.255', 'RFC 2544 benchmarking, last'],
  ['224.0.0.1', 'RFC 5771 multicast'],
  ['239.255.255.255', 'RFC 5771 multicast, last'],
  ['240.0.0.1', 'RFC 1112 reserved'],
  ['255.255.255.255', 'RFC 8190 limited broadcast'],
  ['::', 'RFC 4291 unspecified'],
  ['::1', 'RFC 4291 loopback'],
  ['::ffff:127.0.0.1', 'RFC 4291 2.5.5.2 IPv4-mapped loopback'],
  ['::ffff:a9fe:a9fe', 'RFC 4291 2.5.5.2 IPv4-mapped link local'],
  ['::ffff:0:127.0.0.1', 'RFC 2765 IPv4-translated'],
  ['::127.0.0.1', 'RFC 4291 2.5.5.1 IPv4-compatible'],
  ['::a9fe:a9fe', 'RFC 4291 2.5.5.1 IPv4-compatible'],
  ['::808:808', 'RFC 4291 2.5.5.1 IPv4-compatible, of a public address'],
  ['64:ff9b::7f00:1', 'RFC 6052 NAT64'],
  ['64:ff9b::a9fe:a9fe', 'RFC 6052 NAT64'],
  ['64:ff9b::808:808', 'RFC 6052 NAT64, of a public address'],
  ['64:ff9b:1::a9fe:a9fe', 'RFC 8215 local NAT64'],
  ['100::1', 'RFC 6666 discard only'],
  ['2001::1', 'RFC 4380 Teredo'],
  ['2001:0:abcd:ef12:3456:7890:a9fe:a9fe', 'RFC 4380 Teredo'],
  ['2001:2::1', 'RFC 5180 benchmarking'],
  ['2001:10::1', 'RFC 4843 ORCHID'],
  ['2001:20::1', 'RFC 7343 ORCHIDv2'],
  ['2001:db8::1', 'RFC 3849 documentation'],
  ['3fff::1', 'RFC 9637 documentation'],
  ['3fff:fff:ffff::1', 'RFC 9637 documentation, last'],
  ['2002:7f00:1::', 'RFC 3056 6to4'],
  ['2002:a9fe:a9fe::', 'RFC 3056 6to4'],
  ['2002:808:808::', 'RFC 3056 6to4, of a public address'],
  ['4000::1', 'RFC 4291 2.4: outside the allocated global unicast space'],
  ['5f00::1', 'RFC 9602 segment routing'],
  ['fc00::1', 'RFC 4193 unique local'],
  ['fd00:ec2::254', 'RFC 4193 unique local: cloud metadata'],
  ['fe80::1', 'RFC 4291 link local'],
  ['fe80::1%eth0', 'RFC 4007 link local with zone'],
  ['2a00:1450::1%eth0', 'RFC 4007: a zone has no place on a global address'],
  ['fec0::1', 'RFC 3879 site local'],
  ['feff::1', 'RFC 3879 site local, last'],
  ['ff02::1', 'RFC 4291 multicast'],
  ['2001:db8::5efe:10.0.0.1', 'RFC 5214 ISATAP'],
  ['2a00::5efe:a00:1', 'RFC 5214 ISATAP'],
  ['2a00::200:5efe:c0a8:101', 'RFC 5214 ISATAP with the universal bit'],
  ['example.com', 'no literal'],
  ['0x7f.1', 'no canonical literal'],
  ['', 'no literal'],
];

const PUBLIC: [address: string, why: string][] = [
  ['1.1.1.1', 'public'],
  ['8.8.8.8', 'public'],
  ['100.63.255.255', 'just below RFC 6598'],
  ['100.128.0.0', 'just above RFC 6598'],
  ['172.15.255.255', 'just below RFC 1918'],
  ['172.32.0.0', 'just above RFC 1918'],
  ['2606:4700:4700::1111', 'public'],
  ['2a00:1450:4001:81b::200e', 'public'],
  ['2a00:0:0:0:1:5efe:a00:1', 'not the ISATAP interface identifier'],
  ['::ffff:8.8.8.8', 'IPv4-mapped: the socket dials 8.8.8.8'],
];

t.test('global unicast', async (t) => {
  for (const [address, why] of NOT_PUBLIC) t.equal(isGlobalUnicast(address), false, `${address}: ${why}`);
  for (const [address, why] of PUBLIC) t.equal(isGlobalUnicast(address), true, `${address}: ${why}`);
});

/** A guard over a resolver that knows the given names and counts the questions. */
function guardOver(names: Record<string, string[]>, allow: string[] = [], urlPorts = [80, 443]) {
  const asked: string[] = [];
  const lookup: Lookup = async (name) => {
    asked.push(name);
    if (!(name in names)) throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    return names[name];
  };
  return { asked, guard: createAddressGuard({ allow, urlPorts, lookupTimeoutMs: 1000, lookup }) };
}

t.test('refused by the text alone: nothing is looked up', async (t) => {
  const urls = [
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://0/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://①②⑦.⓪.⓪.①/',
    'http://127。0。0。1/',
    'http://０ｘ７ｆ.1/',
    'http://127.0.0.1./',
    'http:\\\\127.0.0.1\\',
    'http://127.0.0.1:80\\@example.com/',
    'http://example.com@127.0.0.1/',
    'http://user@example.com/',
    'http://:password@example.com/',
    'http://1.1.1.1 &@2.2.2.2# @3.3.3.3/',
    'http://localhost/',
    'http://localhost./',
    'http://a.localhost/',
    'http://127.0.0.1:0/',
    'http://example.com:22/',
    'http://example.com:6379/',
    'https://8.8.8.8:8443/',
  ];
  const { guard, asked } = guardOver({ 'example.com': ['8.8.8.8'], localhost: ['127.0.0.1'] });
  for (const url of urls) {
    await t.rejects(guard.resolve(new URL(url), never), { code: 'SOURCE_NOT_ALLOWED' }, url);
  }
  t.strictSame(asked, []);
});

t.test('a blocked answer cannot be told from a missing one', async (t) => {
  const { guard } = guardOver({
    private: ['127.0.0.1'],
    mixed: ['8.8.8.8', '127.0.0.1'],
    mapped: ['::ffff:127.0.0.1'],
    nat64: ['64:ff9b::7f00:1'],
    'metadata.google.internal': ['169.254.169.254'],
    empty: [],
  });
  const texts = new Set<string>();
  for (const host of ['private', 'mixed', 'mapped', 'nat64', 'metadata.google.internal', 'empty', 'missing']) {
    const error = await guard.resolve(new URL(`http://${host}/`), never).catch((thrown: unknown) => thrown);
    t.match(error, { code: 'SOURCE_UNAVAILABLE', detail: new RegExp(host) }, host);
    texts.add(error instanceof Error ? error.message : '');
  }
  t.equal(texts.size, 1);
  t.notMatch([...texts][0], /127|resolve|ENOTFOUND/);
});

t.test('what may be dialled is what was checked', async (t) => {
  const { guard } = guardOver({ 'example.com': ['8.8.8.8', '2606:4700:4700::1111'] });
  t.strictSame(await guard.resolve(new URL('https://example.com/'), never), ['8.8.8.8', '2606:4700:4700::1111']);
  t.strictSame(await guard.resolve(new URL('http://8.8.8.8/'), never), ['8.8.8.8']);
  t.strictSame(await guard.resolve(new URL('http://[2606:4700:4700::1111]/'), never), ['2606:4700:4700::1111']);
});

t.test('the allow list lifts both rules for exactly what it names', async (t) => {
  const names = { 'files.lan': ['10.2.0.7'], other: ['10.2.0.8'], public: ['8.8.8.8'], both: ['10.2.0.7', '8.8.8.8'] };
  const rows: [allow: string, url: string, outcome: 'passes' | 'SOURCE_NOT_ALLOWED' | 'SOURCE_UNAVAILABLE'][] = [
    ['files.lan', 'http://files.lan/', 'passes'],
    ['files.lan', 'http://files.lan.:9000/', 'passes'],
    ['files.lan', 'http://other/', 'SOURCE_UNAVAILABLE'],
    ['files.lan', 'http://10.2.0.7/', 'SOURCE_NOT_ALLOWED'],
    ['files.lan:9000', 'http://files.lan:9000/', 'passes'],
    ['files.lan:9000', 'http://files.lan/', 'SOURCE_UNAVAILABLE'],
    ['files.lan:9000', 'http://files.lan:9001/', 'SOURCE_NOT_ALLOWED'],
    ['10.2.0.7', 'http://files.lan:9000/', 'passes'],
    ['10.2.0.7', 'http://10.2.0.7:9000/', 'passes'],
    ['10.2.0.7', 'http://[::ffff:10.2.0.7]/', 'passes'],
    ['10.2.0.7', 'http://other/', 'SOURCE_UNAVAILABLE'],
    ['10.2.0.7', 'http://public:9000/', 'SOURCE_UNAVAILABLE'],
    ['10.2.0.7', 'http://both/', 'passes'],
    ['10.2.0.7', 'http://both:9000/', 'SOURCE_UNAVAILABLE'],
    ['10.2.0.0/16:9000', 'http://other:9000/', 'passes'],
    ['10.2.0.0/16:9000', 'http://other/', 'SOURCE_UNAVAILABLE'],
    ['8.8.8.8:9000', 'http://public:9000/', 'passes'],
    ['8.8.8.8:9000', 'http://8.8.8.8/', 'passes'],
    ['127.0.0.1:9000', 'http://127.0.0.1:9001/', 'SOURCE_NOT_ALLOWED'],
    ['[::1]:9000', 'http://[::1]:9000/', 'passes'],
    ['files.lan', 'http://user@files.lan/', 'SOURCE_NOT_ALLOWED'],
  ];
  for (const [allow, url, outcome] of rows) {
    const { guard } = guardOver(names, [allow]);
    const result = guard.resolve(new URL(url), never);
    if (outcome === 'passes') await t.resolves(result, `${allow} and ${url}`);
    else await t.rejects(result, { code: outcome }, `${allow} and ${url}`);
  }
});

t.test('a resolver that never answers is left behind', async (t) => {
  const guard = createAddressGuard({
    allow: [],
    urlPorts: [80],
    lookupTimeoutMs: 20,
    lookup: () => new Promise(() => {}),
  });
  const keepAlive = setTimeout(() => {}, 60_000);
  t.teardown(() => clearTimeout(keepAlive));
  await t.rejects(guard.resolve(new URL('http://slow/'), never), { code: 'SOURCE_UNAVAILABLE' });
  const reason = new Error('gone');
  await t.rejects(guard.resolve(new URL('http://slow/'), AbortSignal.abort(reason)), reason);
});

t.test('the connector dials only what it was given', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end());
  const dial = (hostname: string, addresses: string[]): Promise<net.Socket> => {
    const connect = pinnedConnector({ addresses, timeoutMs: 5000, signal: never });
    return new Promise((resolve, reject) => {
      connect({ hostname, protocol: 'http:', port: String(origin.port) }, (error, socket) => {
        if (error === null) resolve(socket);
        else reject(error);
      });
    });
  };
  const socket = await dial('no-such-host.test', ['127.0.0.1']);
  t.equal(socket.remoteAddress, '127.0.0.1', 'the name is not looked up again');
  socket.destroy();
  // A literal never reaches `lookup`: the check of the peer's address is what is left.
  await t.rejects(dial('127.0.0.1', ['8.8.8.8']), { message: /was not checked/ });
  await origin.allClosed();
  t.equal(origin.connections(), 2);
});
