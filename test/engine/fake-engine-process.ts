/**
 * Stands in for `src/engine/engine-process.ts`: it speaks the protocol, and does what the "image", a JSON command, says.
 * `--model-pack` says how it starts, `--models-dir` is a folder of the test.
 */
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { ErrorCode } from '../../src/errors.ts';
import type { EngineMessage, EngineRequest, ReadOutcome } from '../../src/engine/protocol.ts';
import { visitGate } from './gate.ts';

export type Command =
  /** Answers one line: the text, or else the size of the image in bytes. */
  | { do: 'echo'; text?: string }
  | { do: 'gate'; port: number; name: string }
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
  /** Closes the channel and stays alive. */
  | { do: 'hang-up' };

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

async function obey(command: Command, image: Uint8Array): Promise<ReadOutcome> {
  switch (command.do) {
    case 'echo':
      return pageOf(command.text ?? String(image.length));
    case 'gate':
      await visitGate(command.port, command.name);
      return pageOf(command.name);
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
  options: { 'models-dir': { type: 'string', default: '' }, 'model-pack': { type: 'string', default: '' } },
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
    void (async () => {
      const command = JSON.parse(Buffer.from(request.image).toString()) as Command;
      const outcome = await obey(command, request.image);
      await send({ type: 'outcome', id: request.id, outcome, residentBytes });
    })();
  });
  await send({ type: 'ready', residentBytes });
}
