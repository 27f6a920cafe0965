import t from 'tap';
import { shownSettings } from '../../src/cli/config-command.ts';
import { EnvSchema, loadConfig } from '../../src/config.ts';
import { generalOcr } from './general-ocr.ts';

t.test('every setting with its effective value and where it comes from', async (t) => {
  const env = {
    OCR_MAX_SIDE: '2000',
    OCR_API_KEYS: 'first,second',
    OCR_S3_ENDPOINT: 'http://me:secret@minio:9000/?x=1',
  };
  const { status, stdout, stderr } = await generalOcr(['config', '--json'], { env });
  t.equal(status, 0);
  t.equal(stderr, '');
  const { settings, faults } = JSON.parse(stdout) as { settings: Record<string, object>; faults: string[] };
  t.strictSame(Object.keys(settings), Object.keys(EnvSchema.properties));
  t.strictSame(faults, []);
  t.strictSame(settings.OCR_MAX_SIDE, { value: 2000, from: 'environment' });
  t.match(settings.OCR_ENGINE_PROCESSES, { value: Number, from: 'default' }, 'not 0 but what 0 means here');
  t.strictSame(settings.OCR_API_KEYS, { value: '(2 hidden)', from: 'environment' });
  t.strictSame(settings.OCR_S3_ENDPOINT, { value: 'http://minio:9000/?…', from: 'environment' });
  t.notMatch(stdout, /first|second|secret/);
});

t.test('as a table', async (t) => {
  const { status, stdout } = await generalOcr(['config'], { env: { OCR_MAX_SIDE: '2000', OCR_API_KEYS: 'first' } });
  t.equal(status, 0);
  t.match(stdout, /^ {2}OCR_URL_PORTS +80,443$/m);
  t.match(stdout, /^\* OCR_MAX_SIDE +2000$/m);
  t.match(stdout, /^\* OCR_API_KEYS +\(1 hidden\)$/m);
  t.equal(stdout.trimEnd().split('\n').length, Object.keys(EnvSchema.properties).length);
});

t.test('all faults at once, those that come out later included, and strangers', async (t) => {
  const env = { PORT: 'x', OCR_SOURCE_ALLOW: '10.0.0.0/99', OCR_S3_ENDPOINT: 'ftp://x', OCR_MAXSIDE: '1', OCR_FOO: '' };
  const { status, stdout, stderr } = await generalOcr(['config'], { env });
  t.equal(status, 2);
  t.equal(stdout, '');
  t.match(stderr, /^Note: OCR_MAXSIDE is no setting; OCR_MAX_SIDE is\.$/m);
  t.match(stderr, /^Note: OCR_FOO is no setting\.$/m);
  t.match(stderr, /not valid:\n {2}PORT must be integer, not "x"\n {2}OCR_SOURCE_ALLOW .*\n {2}OCR_S3_ENDPOINT .*\n$/);
  const json = await generalOcr(['config', '--json'], { env });
  t.equal(json.status, 2);
  t.match(JSON.parse(json.stdout), { faults: [/^PORT/, /^OCR_SOURCE_ALLOW/, /^OCR_S3_ENDPOINT/] });
});

t.test('nothing that is named like a secret is shown, whatever settings come', async (t) => {
  const names = Object.keys(EnvSchema.properties).filter((name) => /KEY|SECRET|TOKEN|PASSWORD/.test(name));
  t.ok(names.includes('OCR_API_KEYS'));
  const env = Object.fromEntries(names.map((name) => [name, 'do-not-show']));
  t.notMatch(JSON.stringify(shownSettings(loadConfig(env), env)), 'do-not-show');
});
