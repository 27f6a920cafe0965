import { readFile } from 'node:fs/promises';
import { STATUS_CODES } from 'node:http';
import t from 'tap';
import { bodyLimitFor } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { STATUS_OF_CODE } from '../../src/http/error-handler.ts';
import { nginxSite } from '../running-nginx.ts';

const root = new URL('../../', import.meta.url);
const config = await readFile(new URL('deploy/nginx/general-ocr.conf', root), 'utf8');
const settings = loadConfig({});

/** The value of a directive that stands there once. */
function directive(name: string): string {
  const found = [...config.matchAll(new RegExp(`^ *${name} (.*);`, 'gm'))].map(([, value = '']) => value);
  if (found.length !== 1) throw new Error(`${name} is ${found.length} times in general-ocr.conf`);
  return found[0] ?? '';
}
const seconds = (name: string): number => Number(/^(\d+)s$/.exec(directive(name))?.[1]);

t.test('bodies that the service takes pass, and little more', async (t) => {
  const most = Number(/^(\d+)m$/.exec(directive('client_max_body_size'))?.[1]) * 2 ** 20;
  const limit = bodyLimitFor(settings.OCR_MAX_IMAGE_BYTES);
  t.ok(most > limit, `${most} bytes, ${limit} of the service`);
  t.ok(most < 1.1 * limit);
});

t.test('the service answers before nginx gives up, and what took so long is not sent again', async (t) => {
  const request = settings.OCR_REQUEST_TIMEOUT_MS / 1000;
  t.ok(seconds('proxy_next_upstream_timeout') >= request);
  t.ok(seconds('proxy_read_timeout') > seconds('proxy_next_upstream_timeout'));
  t.ok(seconds('proxy_send_timeout') >= settings.OCR_BODY_TIMEOUT_MS / 1000);
});

t.test('a picture can be sent to a second replica, and never goes round all of them', async (t) => {
  t.equal(directive('proxy_next_upstream'), 'error timeout http_503 non_idempotent');
  t.equal(directive('proxy_request_buffering'), 'on');
  t.equal(directive('proxy_next_upstream_tries'), '2');
});

t.test('request ids have the form that the service takes over', async (t) => {
  const source = await readFile(new URL('src/app.ts', root), 'utf8');
  const form = /REQUEST_ID = \/(.*)\/;/.exec(source)?.[1] ?? 'none';
  t.ok(config.includes(`"~${form}" $http_x_request_id;`), form);
});

t.test('its own refusals have codes and statuses of the service', async (t) => {
  const bodies = [...config.matchAll(/return (\d+) '(\{.*\})';/g)];
  t.ok(bodies.length >= 6);
  for (const [, status, body = ''] of bodies) {
    type Body = {
      statusCode: number;
      error: string;
      code: keyof typeof STATUS_OF_CODE;
      message: string;
      requestId: string;
    };
    const parsed = JSON.parse(body) as Body;
    t.strictSame(Object.keys(parsed), ['statusCode', 'error', 'code', 'message', 'requestId']);
    t.equal(parsed.statusCode, Number(status));
    t.equal(STATUS_OF_CODE[parsed.code], Number(status), parsed.code);
    t.equal(parsed.error, STATUS_CODES[Number(status)]);
  }
});

t.test('the log holds no query and no header of the client but a checked request id', async (t) => {
  const format = /log_format[^;]*;/.exec(config)?.[0] ?? '';
  const variables = format.match(/\$\w+/g) ?? [];
  t.ok(variables.length > 10);
  for (const name of variables)
    t.notMatch(name, /^\$(request|request_uri|args|query_string|http_.*|arg_.*|cookie_.*)$/);
});

t.test('tests run the same file with other addresses', async (t) => {
  const site = nginxSite({ replicas: ['127.0.0.1:1', '127.0.0.1:2'], listen: '127.0.0.1:3', folder: '/tmp/x' });
  const servers = [...site.matchAll(/^ {4}server (127\.0\.0\.1:\d) max_fails=3 fail_timeout=5s;$/gm)];
  t.strictSame(
    servers.map(([, host]) => host),
    ['127.0.0.1:1', '127.0.0.1:2'],
  );
  t.notMatch(site.replace(/#.*/g, ''), /ssl_certificate|\/etc\/nginx\/|\/run\/|\/var\//);
});
