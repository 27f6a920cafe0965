import os from 'node:os';
import path from 'node:path';
import t from 'tap';
import { ConfigError, EnvSchema, loadConfig } from '../src/config.ts';

t.test('every variable has a description and a default', async (t) => {
  for (const [name, schema] of Object.entries(EnvSchema.properties)) {
    t.match(name, /^(PORT|HOST|LOG_LEVEL|OCR_[A-Z0-9_]+)$/);
    t.match(schema, { description: /^[A-Z].*\.$/s }, `${name} is described in a sentence`);
    t.ok('default' in schema, `${name} has a default`);
  }
});

t.test('defaults', async (t) => {
  const config = loadConfig({});
  t.match(config, { PORT: 8080, OCR_MAX_SIDE: 4096, OCR_URL_PORTS: [80, 443], OCR_API_KEYS: [], OCR_DOCS: true });
  t.equal(config.OCR_ENGINE_PROCESSES, os.availableParallelism());
  t.match(config.OCR_MODELS_DIR, /models$/);
  t.ok(Object.isFrozen(config));
});

t.test('values', async (t) => {
  const config = loadConfig({
    PORT: '0',
    OCR_ENGINE_PROCESSES: '3',
    OCR_SOURCE_ALLOW: ' files.lan, ,10.2.0.0/16 ',
    OCR_URL_PORTS: '8080',
    OCR_CORS: 'https://a.example, http://localhost:3000',
    OCR_TRUSTED_PROXIES: '10.0.0.0/8,fd00::1',
    OCR_MIN_SCORE: '',
    UNRELATED: 'x',
  });
  t.match(config, {
    PORT: 0,
    OCR_ENGINE_PROCESSES: 3,
    OCR_SOURCE_ALLOW: ['files.lan', '10.2.0.0/16'],
    OCR_URL_PORTS: [8080],
    OCR_CORS: ['https://a.example', 'http://localhost:3000'],
    OCR_TRUSTED_PROXIES: ['10.0.0.0/8', 'fd00::1'],
    OCR_MIN_SCORE: 0.3,
  });
  t.notOk('UNRELATED' in config);
});

t.test('all faults at once, one a line, each with its variable, rule and value', async (t) => {
  const env = { PORT: '99999', LOG_LEVEL: 'loud', OCR_DOCS: 'yes', OCR_MIN_SCORE: 'x', OCR_URL_PORTS: '80,x' };
  const lines = [
    'PORT must be <= 65535, not "99999"',
    'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud"',
    'OCR_MIN_SCORE must be number, not "x"',
    'OCR_DOCS must be true or false, not "yes"',
    'OCR_URL_PORTS must be port numbers from 1 to 65535, separated by commas, not "80,x"',
  ];
  t.throws(() => loadConfig(env), new ConfigError(lines.join('\n')));
});

t.test('the address of a collector', async (t) => {
  t.match(loadConfig({ OCR_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }), { OCR_TRACES_RATIO: 1 });
  for (const address of ['collector:4318', 'ftp://collector', 'http://', 'yes']) {
    t.throws(() => loadConfig({ OCR_TRACES_ENDPOINT: address }), { message: /^OCR_TRACES_ENDPOINT must be/ }, address);
  }
});

t.test('lists', async (t) => {
  for (const ports of ['0', '65536', '1e3', '80 443', '-1']) {
    t.throws(() => loadConfig({ OCR_URL_PORTS: ports }), { name: 'ConfigError', message: /^OCR_URL_PORTS/ }, ports);
  }
  for (const proxies of ['proxy.lan', '10.0.0.0/33', '10.0.0.0/8/8', 'fd00::/129', '10.0.0/8', '10.0.0.0/']) {
    t.throws(() => loadConfig({ OCR_TRUSTED_PROXIES: proxies }), { name: 'ConfigError' }, proxies);
  }
  for (const origin of [
    'https://a.example/',
    'a.example',
    'https://A.example',
    'https://a.example:443',
    'null',
    'true',
  ]) {
    t.throws(() => loadConfig({ OCR_CORS: origin }), { name: 'ConfigError', message: /^OCR_CORS/ }, origin);
  }
  t.strictSame(loadConfig({ OCR_CORS: '*' }).OCR_CORS, ['*']);
});

t.test('settings out of files', async (t) => {
  const folder = t.testdir({ keys: 'first\nsecond, third\n', empty: '\n', large: 'x'.repeat(65_537), port: '81' });
  const fileOf = (name: string): string => path.join(folder, name);
  t.strictSame(loadConfig({ OCR_API_KEYS_FILE: fileOf('keys') }).OCR_API_KEYS, ['first', 'second', 'third']);
  t.equal(loadConfig({ PORT_FILE: fileOf('port'), OCR_API_KEYS_FILE: '' }).PORT, 81, 'every setting; empty is not set');
  for (const [env, message] of [
    [{ OCR_API_KEYS_FILE: fileOf('none') }, /^OCR_API_KEYS_FILE cannot be read \(ENOENT\)/],
    [{ OCR_API_KEYS_FILE: folder }, /^OCR_API_KEYS_FILE cannot be read \(EISDIR\)/],
    [{ OCR_API_KEYS_FILE: fileOf('empty') }, /^OCR_API_KEYS_FILE names an empty file/],
    [{ OCR_API_KEYS_FILE: fileOf('large') }, /^OCR_API_KEYS_FILE cannot be read \(has more than 65536 bytes\)/],
    [{ OCR_API_KEYS_FILE: fileOf('keys'), OCR_API_KEYS: 'k' }, /both set/],
  ] as const) {
    t.throws(() => loadConfig(env), { name: 'ConfigError', message });
  }
});

t.test('a key for the metrics needs keys', async (t) => {
  t.throws(() => loadConfig({ OCR_METRICS: 'key' }), { name: 'ConfigError', message: /^OCR_METRICS/ });
  t.equal(loadConfig({ OCR_METRICS: 'key', OCR_API_KEYS: 'k' }).OCR_METRICS, 'key');
});
