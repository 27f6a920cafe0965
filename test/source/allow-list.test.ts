import t from 'tap';
import { parseAllowList } from '../../src/source/allow-list.ts';

t.test('addresses and networks', async (t) => {
  const rows: [entry: string, address: string, port: number, allowed: boolean][] = [
    ['10.2.0.7', '10.2.0.7', 80, true],
    ['10.2.0.7', '10.2.0.7', 9000, true],
    ['10.2.0.7', '10.2.0.8', 80, false],
    ['10.2.0.7:8080', '10.2.0.7', 8080, true],
    ['10.2.0.7:8080', '10.2.0.7', 80, false],
    ['10.2.0.0/16', '10.2.255.255', 443, true],
    ['10.2.0.0/16', '10.3.0.0', 443, false],
    ['10.2.0.0/16', '::ffff:10.2.3.4', 443, true],
    ['10.2.0.0/16:8080', '10.2.3.4', 8080, true],
    ['10.2.0.0/16:8080', '10.2.3.4', 443, false],
    ['::ffff:10.2.0.7', '10.2.0.7', 80, true],
    ['fd00::1', 'fd00:0:0::1', 80, true],
    ['fd00::1', 'fd00::2', 80, false],
    ['fd00::/8', 'fdff::2', 80, true],
    ['fd00::/8', 'fe80::2', 80, false],
    ['[fd00::1]', 'fd00::1', 80, true],
    ['[fd00::1]:80', 'fd00::1', 80, true],
    ['[fd00::1]:80', 'fd00::1', 81, false],
    ['[fd00::/8]:80', 'fd12::1', 80, true],
    ['fd00::/8', '10.2.0.7', 80, false],
    ['fd00::/8', 'no address', 80, false],
    ['files.lan', '10.2.0.7', 80, false],
  ];
  for (const [entry, address, port, allowed] of rows) {
    t.equal(parseAllowList([entry]).hasAddress(address, port), allowed, `${entry} and ${address} port ${port}`);
  }
});

t.test('hosts', async (t) => {
  const rows: [entry: string, host: string, port: number, allowed: boolean][] = [
    ['files.lan', 'files.lan', 80, true],
    ['files.lan', 'files.lan', 9000, true],
    ['files.lan', 'a.files.lan', 80, false],
    ['files.lan', 'xfiles.lan', 80, false],
    ['Files.LAN.', 'files.lan', 80, true],
    ['minio:9000', 'minio', 9000, true],
    ['minio:9000', 'minio', 80, false],
    ['bücher.lan', 'xn--bcher-kva.lan', 80, true],
    ['10.2.0.7', '10.2.0.7', 80, false],
  ];
  for (const [entry, host, port, allowed] of rows) {
    t.equal(parseAllowList([entry]).hasHost(host, port), allowed, `${entry} and ${host} port ${port}`);
  }
});

t.test('which ports make a lookup worth while', async (t) => {
  const list = parseAllowList(['10.2.0.0/16:8080', 'minio:9000']);
  t.equal(list.opensPort(8080), true);
  t.equal(list.opensPort(9000), false, 'a host entry answers for itself');
  t.equal(parseAllowList(['fd00::/8']).opensPort(1234), true);
});

t.test('an entry that cannot be read stops the start and is named', async (t) => {
  const bad = [
    '10.2.0.0/33',
    'fd00::/129',
    '10.2.0.0/',
    '10.2.0.0/x',
    'a:0',
    'a:65536',
    'http://files.lan',
    'a/b',
    'a b',
  ];
  for (const entry of [
    ...bad,
    'user@host',
    'fe80::1%eth0',
    '0x7f.1',
    '2130706433',
    '127.1',
    '',
    '[',
    'a:b',
    '*.lan/8',
  ]) {
    t.throws(
      () => parseAllowList([entry]),
      { message: new RegExp(`^OCR_SOURCE_ALLOW .*${JSON.stringify(entry).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`) },
      entry,
    );
  }
});
