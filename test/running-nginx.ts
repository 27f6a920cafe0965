import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.ts';
import { waitFor } from './robustness/client.ts';
import { TLS_CERTIFICATE, TLS_KEY } from './source/tls-certificate.ts';

/** What operators install; everything here runs this file, with other addresses and folders in it. */
const CONFIG = new URL('../deploy/nginx/general-ocr.conf', import.meta.url);

/** Long enough for an nginx that starts on a busy machine. */
const GIVE_UP_MS = 20_000;

/** A line of the access log of deploy/nginx/general-ocr.conf. */
export interface AccessLine {
  readonly reqId: string;
  readonly status: number;
  readonly path: string;
  /** Every replica that the request was sent to, one after the other, separated by commas; their statuses alike. */
  readonly replicas: string;
  readonly replicaStatus: string;
}

export interface RunningNginx {
  /** Without a slash at the end. */
  readonly url: string;
  readonly process: ChildProcess;
  readonly accessLog: () => AccessLine[];
  stop(): Promise<void>;
}

/** nginx itself: NGINX_PROGRAM (NGINX means something else to it), or from the PATH or /usr/sbin, where Debian puts it. @throws {Error} saying how to get it */
export function findNginx(): string {
  const candidates = [process.env.NGINX_PROGRAM ?? '', 'nginx', '/usr/sbin/nginx'].filter((name) => name !== '');
  const found = candidates.find((name) => spawnSync(name, ['-v']).status === 0);
  if (found === undefined)
    throw new Error('nginx is not here: apt-get install nginx-light, or name the program in NGINX_PROGRAM');
  return found;
}

/** Replaces what occurs exactly so often. @throws {Error} when deploy/nginx/general-ocr.conf has changed */
function replaced(text: string, pattern: RegExp, by: string, times = 1): string {
  const found = text.match(new RegExp(pattern, 'gm'))?.length ?? 0;
  if (found !== times) throw new Error(`${pattern.source} is ${found} times in general-ocr.conf instead of ${times}`);
  let count = 0;
  return text.replace(new RegExp(pattern, 'gm'), () => (count++ === 0 ? by : ''));
}

export interface NginxSite {
  readonly replicas: readonly string[];
  /** What stands at `listen`. */
  readonly listen: string;
  /** For its log, pid file and bodies. */
  readonly folder: string;
  /** Changes of the operator's on top. */
  readonly change?: (config: string) => string;
}

/** deploy/nginx/general-ocr.conf for these replicas, in plain HTTP where `listen` has no `ssl`. */
export function nginxSite({ replicas, listen, folder, change = (config) => config }: NginxSite): string {
  const server = /^ {4}server 127\.0\.0\.1:\d+ (.*);\n/;
  const original = readFileSync(CONFIG, 'utf8');
  const limits = new RegExp(server, 'm').exec(original)?.[1] ?? '';
  let text = replaced(original, server, replicas.map((host) => `    server ${host} ${limits};\n`).join(''), 3);
  text = replaced(text, /listen 443 ssl http2;/, `listen ${listen};`);
  text = replaced(text, /\/var\/log\/nginx\/general-ocr\.log/, `${folder}/access.log`);
  text = replaced(text, /\/run\/general-ocr-bodies/, `${folder}/bodies`);
  if (listen.includes('ssl')) text = text.replaceAll('/etc/nginx/', `${folder}/`);
  else text = text.replace(/^ {4}ssl_certificate.*;\n/gm, '');
  return change(text);
}

/** What Debian's /etc/nginx/nginx.conf has around conf.d, kept to one folder. @returns the path of the file */
export function writeNginxConfig(folder: string, site: string): string {
  const unused = ['proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  const file = path.join(folder, 'nginx.conf');
  // As root it would read its files as nobody, who may not enter the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  writeFileSync(
    file,
    `daemon off; worker_processes auto; pid ${folder}/nginx.pid; error_log ${folder}/error.log warn; ${user}\n` +
      `events { worker_connections 1024; }\nhttp { ${unused}\n${site}\n}\n`,
  );
  return file;
}

/** Whether something takes connections there. */
async function listens(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export interface NginxOptions {
  readonly change?: NginxSite['change'];
  /** Serves HTTPS with the certificate of test/source/tls-certificate.ts instead of plain HTTP. */
  readonly tls?: boolean;
}

/** Starts nginx with deploy/nginx/general-ocr.conf in front of these replicas (`host:port`), on a free port. */
export async function startNginx(
  replicas: readonly string[],
  { change, tls = false }: NginxOptions = {},
): Promise<RunningNginx> {
  const program = findNginx();
  const folder = mkdtempSync(path.join(tmpdir(), 'general-ocr-nginx-'));
  const port = await freePort();
  if (tls) {
    writeFileSync(`${folder}/general-ocr.crt`, TLS_CERTIFICATE);
    writeFileSync(`${folder}/general-ocr.key`, TLS_KEY);
  }
  const site = nginxSite({
    replicas,
    listen: `127.0.0.1:${port}${tls ? ' ssl http2' : ''}`,
    folder,
    ...(change === undefined ? {} : { change }),
  });
  const child = spawn(program, ['-c', writeNginxConfig(folder, site), '-e', `${folder}/error.log`], {
    stdio: 'inherit',
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true });
  };
  const up = await waitFor(async () => child.exitCode !== null || (await listens(port)), GIVE_UP_MS);
  if (up === undefined || child.exitCode !== null) {
    const said = readFileSync(`${folder}/error.log`, 'utf8');
    await stop();
    throw new Error(`nginx does not answer:\n${said}`);
  }
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    process: child,
    accessLog: () =>
      readFileSync(`${folder}/access.log`, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as AccessLine),
    stop,
  };
}
