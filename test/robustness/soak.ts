import http from 'node:http';
import { parseArgs } from 'node:util';
import { decodeImage } from '../../src/ocr/decode-image.ts';
import { SAMPLE_IMAGE_BASE64 } from '../../src/engine/sample.ts';
import { startService } from '../running-service.ts';
import { bodyOf, pause, post, type Answer } from './client.ts';
import { childrenOf, pidOf, residentBytes } from './processes.ts';
import { megabytes, percentile, Report, tally } from './report.ts';

const MAX_GROWTH = 1.1;
const SAMPLE_EVERY_MS = 1000;

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

/** Pages of the sample, tiled, as 24-bit BMP files. */
async function makeBodies(): Promise<string[]> {
  const tile = await decodeImage(Buffer.from(SAMPLE_IMAGE_BASE64, 'base64'), { maxSide: 4096 });
  return SIZES.map(([width, height]) => {
    const stride = Math.ceil((width * 3) / 4) * 4;
    const file = Buffer.alloc(54 + stride * height);
    file.write('BM', 0, 'latin1');
    file.writeUInt32LE(54, 10);
    file.writeUInt32LE(40, 14);
    file.writeInt32LE(width, 18);
    file.writeInt32LE(-height, 22);
    file.writeUInt16LE(1, 26);
    file.writeUInt16LE(24, 28);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const from = ((y % tile.height) * tile.width + (x % tile.width)) * 3;
        const to = 54 + y * stride + 3 * x;
        for (let channel = 0; channel < 3; channel += 1) file[to + channel] = tile.data[from + 2 - channel];
      }
    }
    return bodyOf(file);
  });
}

/** Takes turns through the bodies with `clients` at a time, for as long as `goOn` says so. */
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
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return answers;
}

/** `soak [--minutes 10] [--warm-up 500] [--processes 2]`: resident memory under mixed sizes, after the warm-up. */
export async function run(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      'warm-up': { type: 'string', default: '500' },
      processes: { type: 'string', default: '2' },
    },
  });
  const report = new Report();
  const bodies = await makeBodies();
  const service = await startService({ OCR_ENGINE_PROCESSES: values.processes });
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
    answers.every(({ status }) => status === 200),
  );
  for (const [name, samples] of [
    ['server process', server],
    ['all processes', all],
  ] as const) {
    const fifth = Math.max(Math.floor(samples.length / 5), 1);
    const [first, last] = [samples.slice(0, fifth), samples.slice(-fifth)].map((part) => percentile(part, 0.5));
    report.check(
      `${name}: median of the first fifth ${megabytes(first)}, of the last ${megabytes(last)}: x ${(last / first).toFixed(3)} (at most ${MAX_GROWTH})`,
      last <= MAX_GROWTH * first,
    );
  }
  report.check('the server ends with 0', (await service.stop()) === 0);
  return report;
}
