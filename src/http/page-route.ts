import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OcrError } from '../errors.ts';
import { WEB_DIR } from '../package-files.ts';

export interface PageRouteOptions {
  /** Longest side of an image in pixels, which the page says and shrinks to. */
  readonly maxSide: number;
  /** Whether there is something at `/docs` to link to. */
  readonly docs: boolean;
}

/**
 * Scripts and styles of this server only, no inline code, no strings made into code. Pictures: those of the server, chosen
 * files (`blob:`), and from anywhere, because the page shows what a link names; pictures are not active content.
 */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: https: http:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

/** One file as it is sent. */
export interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
  /** Left out for what is compressed already. */
  readonly gzipped: Buffer | undefined;
  readonly etag: string;
}

/**
 * A TypeScript module as the JavaScript that a browser takes. Types become white space, as they do when Node runs the
 * server's own sources, and imports name the `.js` that the module is served as.
 */
export function toBrowserModule(source: string): string {
  return stripTypeScriptTypes(source).replace(/(\bfrom\s+'\.\/[\w-]+)\.ts'/g, "$1.js'");
}

function toAsset(name: string, bytes: Buffer): Asset {
  return {
    type: MEDIA_TYPES[extname(name)] ?? 'application/octet-stream',
    bytes,
    gzipped: name.endsWith('.png') ? undefined : gzipSync(bytes, { level: 9 }),
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`,
  };
}

/** Every file of the page by its path under `/page/`; `index.html` is what is served at `/`. */
export async function loadPage({ maxSide, docs }: PageRouteOptions): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const path of await readdir(WEB_DIR, { recursive: true })) {
    const extension = extname(path);
    const isModule = extension === '.ts' && !path.endsWith('.d.ts');
    if (!isModule && !(extension in MEDIA_TYPES)) continue;
    const bytes = await readFile(new URL(path, WEB_DIR));
    if (isModule) {
      const name = path.replace(/\.ts$/, '.js');
      assets.set(name, toAsset(name, Buffer.from(toBrowserModule(bytes.toString()))));
    } else if (extension === '.html') {
      const text = bytes
        .toString()
        .replace('%MAX_SIDE%', String(maxSide))
        .replace('%DOCS_HIDDEN%', docs ? '' : 'hidden');
      assets.set(path, toAsset(path, Buffer.from(text)));
    } else {
      assets.set(path.replaceAll('\\', '/'), toAsset(path, bytes));
    }
  }
  return assets;
}

function send(asset: Asset | undefined, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (asset === undefined) throw new OcrError('NOT_FOUND', 'The page has no such file.');
  // Asked for again each time, and answered 304: after an update no browser mixes old and new files.
  reply.headers({
    'content-security-policy': PAGE_POLICY,
    'cache-control': 'no-cache',
    etag: asset.etag,
    vary: 'accept-encoding',
  });
  if (request.headers['if-none-match'] === asset.etag) return reply.code(304).send();
  reply.type(asset.type);
  const { gzipped } = asset;
  if (gzipped === undefined || !/\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))) {
    return reply.send(asset.bytes);
  }
  return reply.header('content-encoding', 'gzip').send(gzipped);
}

/** The page at `/` to try the service with, open to all; what it asks `/general_ocr` needs a key where keys are set. */
export function registerPageRoute(app: FastifyInstance, options: PageRouteOptions): void {
  let loading: Promise<ReadonlyMap<string, Asset>> | undefined;
  const page = (): Promise<ReadonlyMap<string, Asset>> => (loading ??= loadPage(options));
  const schema = { hide: true };

  app.get('/', { schema }, async (request, reply) => send((await page()).get('index.html'), request, reply));
  app.get<{ Params: { '*': string } }>('/page/*', { schema }, async (request, reply) =>
    send((await page()).get(request.params['*']), request, reply),
  );
}
