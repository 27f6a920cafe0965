/**
 * Builds the image and uses it as a user would, with the promises of docker-compose.yml: non-root, read-only root, no
 * capabilities, healthy, small, right answers, a clean end.
 *
 *   node docker/container-test.ts
 *
 * DOCKER and COMPOSE name the clients (default `docker`, `docker compose`). With DOCKER_BUILD_NETWORK=host the build uses
 * the host's network.
 */
import { execFileSync } from 'node:child_process';
import { SAMPLE_IMAGE_BASE64, SAMPLE_LINES } from '../src/engine/sample.ts';

const docker = process.env.DOCKER ?? 'docker';
const [composeCommand = '', ...composeArgs] = (process.env.COMPOSE ?? `${docker} compose`).split(' ');
const network = process.env.DOCKER_BUILD_NETWORK;
const IMAGE = 'general-ocr:container-test';
const MAX_IMAGE_MB = 420;
const FIRST_ANSWER_WITHIN_MS = 10_000;

let passed = 0;
let failed = 0;
function check(what: string, holds: boolean): void {
  process.stdout.write(`${holds ? 'ok' : 'NOT OK'} ${what}\n`);
  if (holds) passed++;
  else failed++;
}
const run = (args: readonly string[], input?: Uint8Array): string =>
  execFileSync(docker, args, { encoding: 'utf8', env: { ...process.env, DOCKER_BUILDKIT: '1' }, input }).trim();

run(['build', ...(network === undefined ? [] : ['--network', network]), '-f', 'docker/Dockerfile', '-t', IMAGE, '.']);
const megabytes = Number(run(['image', 'inspect', '-f', '{{.Size}}', IMAGE])) / 1e6;
check(`image is ${Math.round(megabytes)} MB (at most ${MAX_IMAGE_MB})`, megabytes <= MAX_IMAGE_MB);

const hardened = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true'];
// Twice what one engine process and the server take with ordinary pictures; Node and onnxruntime have some 15 threads each.
hardened.push('--memory', '1g', '--memory-swap', '1g', '--pids-limit', '100');
const serve = ['run', '-d', ...hardened, '--cpus', '1', '-p', '127.0.0.1::8080', IMAGE];
let { container, url, words, firstMs } = await start();
// A start that is late is the program's only if it is late again: the first one of a new image reads it from a disk that may
// be busy with having written it.
for (let again = 0; again < 2 && firstMs > FIRST_ANSWER_WITHIN_MS; again++) {
  process.stdout.write(`   first answer ${firstMs} ms after docker run: once more\n`);
  run(['rm', '-f', container]);
  ({ container, url, words, firstMs } = await start());
}
try {
  check(
    `first answer ${firstMs} ms after docker run (at most ${FIRST_ANSWER_WITHIN_MS})`,
    firstMs <= FIRST_ANSWER_WITHIN_MS,
  );
  const squeeze = (lines: readonly string[]): string => lines.join('\n').replace(/[^\S\n]/g, '');
  check(`the sample is read right: ${JSON.stringify(words)}`, squeeze(words) === squeeze(SAMPLE_LINES));
  check('runs as a user other than root', run(['exec', container, 'id', '-u']) !== '0');
  check('one CPU gives one engine process', engineProcesses(await metrics(url)) === 1);
  const docs = await fetch(`${url}/docs/`);
  check('Swagger UI is served', docs.ok && (await docs.text()).includes('swagger'));
  const page = await Promise.all(['/', '/page/main.js'].map((path) => fetch(`${url}${path}`)));
  check(
    'the page is served',
    page.every(({ ok }) => ok),
  );
  check('health check turns healthy', await turnsHealthy(container));
  const stopStart = performance.now();
  run(['stop', '-t', '30', container]);
  check(`docker stop took ${Math.round(performance.now() - stopStart)} ms`, performance.now() - stopStart < 25_000);
  check('exit code 0', run(['inspect', '-f', '{{.State.ExitCode}}', container]) === '0');
} finally {
  if (failed > 0) process.stdout.write(run(['logs', '--tail', '40', container]));
  run(['rm', '-f', container]);
}

// The command line: with and without its name, hardened in the same way.
const sample = Buffer.from(SAMPLE_IMAGE_BASE64, 'base64');
const hardenedRun = ['run', '--rm', '-i', ...hardened, IMAGE];
const text = run([...hardenedRun, 'read', '-'], sample);
check(`docker run IMAGE read -: ${JSON.stringify(text)}`, text.split('\n').length === SAMPLE_LINES.length);
check(
  'docker run IMAGE general-ocr read - is the same',
  run([...hardenedRun, 'general-ocr', 'read', '-'], sample) === text,
);
const findings = run([...hardenedRun, 'doctor']);
check('docker run IMAGE doctor: no fault', / sample +read right/.test(findings) && /\nfaults: 0,/.test(findings));

// The compose file as it is, with the image just built under the name that it gives.
run(['tag', IMAGE, 'general-ocr']);
const composeStart = performance.now();
compose(['up', '-d', '--no-build']);
try {
  const url = `http://${compose(['port', 'general-ocr', '8080']).replace('0.0.0.0', '127.0.0.1')}`;
  const words = await firstAnswer(url);
  const firstMs = Math.round(performance.now() - composeStart);
  check(
    `compose: first answer after ${firstMs} ms (at most ${FIRST_ANSWER_WITHIN_MS})`,
    firstMs <= FIRST_ANSWER_WITHIN_MS,
  );
  check(`compose: the sample has ${words.length} lines`, words.length === SAMPLE_LINES.length);
} finally {
  compose(['down']);
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** A project of its own on a port of its own, so that a running service is left alone. */
function compose(args: readonly string[]): string {
  const project = ['-p', 'general-ocr-container-test'];
  const env = { ...process.env, PORT: '18080' };
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  return execFileSync(composeCommand, [...composeArgs, ...project, ...args], { encoding: 'utf8', env, stdio }).trim();
}

/** Runs a server; gives its container, its address, what it reads first, and milliseconds from `docker run` to that answer. */
async function start(): Promise<{ container: string; url: string; words: string[]; firstMs: number }> {
  const startedAt = performance.now();
  const container = run(serve);
  const url = `http://${run(['port', container, '8080/tcp']).split('\n')[0] ?? ''}`;
  const words = await firstAnswer(url);
  return { container, url, words, firstMs: Math.round(performance.now() - startedAt) };
}

/** Asks until the service answers 200; gives the words of the sample's lines. */
async function firstAnswer(url: string): Promise<string[]> {
  for (let tries = 0; tries < 600; tries++) {
    try {
      const response = await fetch(`${url}/general_ocr`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ img: SAMPLE_IMAGE_BASE64 }),
      });
      const body: unknown = await response.json();
      if (response.ok) return (body as { words: string }[]).map(({ words }) => words);
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return [];
}

async function metrics(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** Number of engine processes, counted by their memory gauges. */
function engineProcesses(text: string): number {
  return text.split('\n').filter((line) => /^general_ocr_\w*resident\w*\{.*engine/.test(line)).length;
}

async function turnsHealthy(id: string): Promise<boolean> {
  for (let tries = 0; tries < 60; tries++) {
    if (run(['inspect', '-f', '{{.State.Health.Status}}', id]) === 'healthy') return true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return false;
}
