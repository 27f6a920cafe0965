import http from 'node:http';
import { parseArgs } from 'node:util';
import { imageMemory, startService } from '../running-service.ts';
import { pause, post, type Answer } from './client.ts';
import { childrenOf, pidOf, residentBytes } from './processes.ts';
import { megabytes, percentile, Report, tally } from './report.ts';
import { tiledPage } from './tiled-page.ts';

const MAX_GROWTH = 1.1;
const SAMPLE_EVERY_MS = 1000;
/** Rows with text: what is tested is memory, and the more requests the smaller a leak that shows. */
const TEXT_HEIGHT = 192;
/** Refused in the server process; so many of them after each picture, because a leak is one of requests, not of pages. */
const REFUSED_BODY = JSON.stringify({ img: 'no base64' });
const REFUSED_EACH = 20;

/** Width and height in pixels: memory of the models plateaus only after many shapes. */
const SIZES = [
  [360, 96],
  [200, 60],
  [640, 480],
  [481, 1023],
  [1280, 300],
  [333, 777],
  [1600, 1200],
] as const;

/** Takes turns through the bodies with `clients` at a time, for as long as `goOn` says so; others that are refused between them. */
async function send(
  url: string,
  bodies: readonly string[],
  clients: number,
  goOn: (sent: number) => boolean,
): Promise<Answer[]> {
  const agent = new http.Agent({ keepAlive: true });
  const answers: Answer[] = [];
  let sent = 0;
  const client = async (): Promise<void> => {
    while (goOn(sent)) {
      const body = bodies[sent % bodies.length];
      sent += 1;
      answers.push(await post(url, body, { agent }));
      for (let i = 0; i < REFUSED_EACH; i += 1) answers.push(await post(url, REFUSED_BODY, { agent }));
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return answers;
}

/**
 * `soak [--minutes 10] [--warm-up 500] [--processes 2] [--leak BYTES]`: resident memory of what `npm run build` made last under
 * mixed sizes, after the warm-up.
 * With a leak planted (so many bytes a request in the server process) it succeeds if the promise is found broken.
 */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      'warm-up': { type: 'string', default: '500' },
      processes: { type: 'string', default: '2' },
      leak: { type: 'string', default: '0' },
    },
  });
  const planted = Number(values.leak) > 0;
  const report = new Report();
  const bodies = await Promise.all(SIZES.map(([width, height]) => tiledPage(width, height, TEXT_HEIGHT)));
  const leak = {
    PLANTED_LEAK_BYTES: values.leak,
    NODE_OPTIONS: `${imageMemory().NODE_OPTIONS} --import ${new URL('./planted-leak.ts', import.meta.url).href}`,
  };
  const settings = { OCR_ENGINE_PROCESSES: values.processes, ...(planted ? leak : {}) };
  const service = await startService(settings, { built: true });
  const pid = pidOf(service.process);
  const clients = Number(values.processes) + 1;
  await send(service.url, bodies, clients, (sent) => sent < Number(values['warm-up']));

  const server: number[] = [];
  const all: number[] = [];
  const endAt = performance.now() + Number(values.minutes) * 60_000;
  const sampling = (async () => {
    while (performance.now() < endAt) {
      const engines = childrenOf(pid).map(residentBytes);
      server.push(residentBytes(pid));
      all.push(engines.reduce((sum, bytes) => sum + bytes, residentBytes(pid)));
      await pause(SAMPLE_EVERY_MS);
    }
  })();
  const answers = await send(service.url, bodies, clients, () => performance.now() < endAt);
  await sampling;

  report.note(`${values['warm-up']} requests to warm up, then ${answers.length} in ${values.minutes} min`);
  report.check(
    `answers: ${tally(answers.map(({ code }) => code))}`,
    answers.every(({ status, code }) => status === 200 || code === 'INVALID_BASE64'),
  );
  for (const [name, samples] of [
    ['server process', server],
    ['all processes', all],
  ] as const) {
    const fifth = Math.max(Math.floor(samples.length / 5), 1);
    const [first, last] = [samples.slice(0, fifth), samples.slice(-fifth)].map((part) => percentile(part, 0.5));
    report.check(
      `${name}: median of the first fifth ${megabytes(first)}, of the last ${megabytes(last)}: x ${(last / first).toFixed(3)} (at most ${MAX_GROWTH})${planted ? '; a leak is planted' : ''}`,
      // The engine processes have no leak planted, and may outweigh it.
      planted ? name !== 'server process' || last > MAX_GROWTH * first : last <= MAX_GROWTH * first,
    );
  }
  report.check('the server ends with 0', (await service.stop()) === 0);
  return report;
}
