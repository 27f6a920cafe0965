/**
 * Stands in for `src/engine/engine-process.ts`: it speaks the protocol, and does what the "image", a JSON command, says.
 * `--model-pack` says how it starts, `--models-dir` is a folder of the test.
 */
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ErrorCode } from '../../src/errors.ts';
import { receivePicture } from '../../src/engine/picture-pipe.ts';
import type { EngineMessage, EngineRequest, LineImage, ReadOutcome, ReadTask } from '../../src/engine/protocol.ts';
import { visitGate } from './gate.ts';

export type Command =
  /** Answers one line: the text, or else the size of the image in bytes. */
  | { do: 'echo'; text?: string }
  | { do: 'gate'; port: number; name: string }
  /** Answers whether it was told of a core to spare, after the gate. */
  | { do: 'gate-and-spare'; port: number; name: string }
  /** Blocks the event loop, as native code does. */
  | { do: 'hang' }
  | { do: 'crash' }
  /** Crashes the first process of the test that reads it. */
  | { do: 'crash-once' }
  | { do: 'gate-and-crash'; port: number; name: string }
  /** Reports this memory from now on. */
  | { do: 'grow'; bytes: number }
  | { do: 'fail'; code: ErrorCode; message: string; detail?: string }
  /** Sends outcomes that nobody waits for around its own. */
  | { do: 'stutter' }
  | { do: 'print'; text: string }
  | { do: 'environment' }
  /** Wants help and has the helper do something with a line; the text is what was read, or `gate` once let through. */
  | { do: 'share'; line: keyof typeof LINES; gate?: number }
  /** Closes the channel and stays alive. */
  | { do: 'hang-up' };

/** What a helper does with a line, as its index. */
const LINES = { answer: 0, crash: 1, ignore: 2 };

/** `gate:PORT` waits at the gate before it is ready. `deaf` does not leave when the channel closes. */
export type StartMode = 'works' | 'fails' | 'fails-once' | 'dies' | 'silent' | 'deaf' | `gate:${number}`;

/** Bad behaviour ends after this all the same, so that a test that fails leaves nothing running. */
const OUTLIVES_EVERY_TEST_MS = 60_000;

let residentBytes = 1000;

function send(message: EngineMessage): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

function pageOf(text: string): ReadOutcome {
  const corner = { x: 0, y: 0 };
  return {
    ok: true,
    page: {
      width: process.pid,
      height: 1,
      lines: [{ text, confidence: 1, quad: [corner, corner, corner, corner] }],
      timings: { decodeMs: 0, detectMs: 0, recognizeMs: 0, totalMs: 0 },
      cost: { detectorMegapixels: 0, recognizerWidth: 0 },
      textFrom: 'picture',
    },
  };
}

function firstTime(name: string): boolean {
  try {
    closeSync(openSync(path.join(values['models-dir'], name), 'wx'));
    return true;
  } catch {
    return false;
  }
}

function crash(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

/** What comes for the page that is being read. */
let onSharing: ((message: EngineRequest) => void) | undefined;

const nextAbout = (page: number): Promise<EngineRequest> =>
  new Promise((resolve) => {
    onSharing = (message) => {
      if ('page' in message && message.page === page) resolve(message);
    };
  });

async function share({ line, gate }: Command & { do: 'share' }, task: ReadTask): Promise<ReadOutcome> {
  if (!task.shared) return pageOf('not shared');
  const page = task.id;
  const offered = nextAbout(page);
  await send({ type: 'help-wanted', page });
  const offer = await offered;
  if (offer.type !== 'helper') return pageOf(`unexpected: ${offer.type}`);
  const answered = nextAbout(page);
  const image = { data: Uint8Array.of(1, 2, 3), width: 1, height: 1 };
  await send({ type: 'line', page, helper: offer.helper, index: LINES[line], image });
  if (gate !== undefined) {
    await visitGate(gate, String(offer.helper));
    return pageOf('gate');
  }
  const answer = await answered;
  return pageOf(answer.type === 'reading' ? String(answer.reading?.text) : `unexpected: ${answer.type}`);
}

async function help({ page, index, image }: LineImage): Promise<void> {
  if (index === LINES.crash) crash();
  if (index === LINES.ignore) return;
  const reading = {
    text: `${process.pid} read ${image.data.join()}`,
    confidence: 1,
    characters: [],
    width: image.width,
  };
  await send({ type: 'reading', page, index, reading });
}

async function obey(command: Command, task: ReadTask, image: Buffer): Promise<ReadOutcome> {
  switch (command.do) {
    case 'share':
      return share(command, task);
    case 'echo':
      return pageOf(command.text ?? String(image.length));
    case 'gate':
      await visitGate(command.port, command.name);
      return pageOf(command.name);
    case 'gate-and-spare':
      await visitGate(command.port, command.name);
      return pageOf(`core to spare: ${task.coreToSpare}`);
    case 'hang':
      while (performance.now() < OUTLIVES_EVERY_TEST_MS);
      return process.exit(1);
    case 'crash':
      return crash();
    case 'crash-once':
      return firstTime('crashed') ? crash() : pageOf('second try');
    case 'gate-and-crash':
      await visitGate(command.port, command.name);
      return crash();
    case 'grow':
      residentBytes = command.bytes;
      return pageOf('grown');
    case 'fail': {
      const { code, message, detail } = command;
      return { ok: false, code, message, ...(detail === undefined ? {} : { detail }) };
    }
    case 'stutter':
      await send({ type: 'outcome', id: -1, outcome: pageOf('stray'), residentBytes });
      await send({ type: 'ready', residentBytes });
      return pageOf('right');
    case 'print':
      process.stdout.write(command.text);
      return pageOf('printed');
    case 'environment':
      return pageOf(JSON.stringify(process.env));
    case 'hang-up':
      process.removeAllListeners('disconnect');
      process.disconnect();
      setTimeout(() => process.exit(1), OUTLIVES_EVERY_TEST_MS);
      return new Promise(() => undefined);
  }
}

const { values } = parseArgs({
  options: {
    'models-dir': { type: 'string', default: '' },
    'model-pack': { type: 'string', default: '' },
    of: { type: 'string', default: '' },
  },
});
const mode = values['model-pack'] as StartMode;

process.on('disconnect', () => {
  if (mode !== 'deaf') process.exit(0);
  setTimeout(() => process.exit(1), OUTLIVES_EVERY_TEST_MS);
});

if (mode === 'dies') process.exit(7);
if (mode === 'fails' || (mode === 'fails-once' && firstTime('failed'))) {
  await send({ type: 'failed', reason: 'the models are damaged' });
  process.exit(1);
}
if (mode.startsWith('gate:')) await visitGate(Number(mode.slice('gate:'.length)), 'start');
if (mode !== 'silent') {
  process.on('message', (request: EngineRequest) => {
    if (request.type === 'line') return void help(request);
    if (request.type !== 'read') return onSharing?.(request);
    void (async () => {
      const image = receivePicture(request.imageBytes);
      const outcome = await obey(JSON.parse(image.toString()) as Command, request, image);
      await send({ type: 'outcome', id: request.id, outcome, residentBytes });
    })();
  });
  await send({ type: 'ready', residentBytes });
}
