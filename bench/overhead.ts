import { fileURLToPath } from 'node:url';
import { loadModels, readPage, type Models } from '../src/ocr/read-page.ts';
import type { Session } from '../src/ocr/session.ts';
import type { LabelledImage } from './labelled-set.ts';
import { log, median, report, rounded } from './report.ts';

const PACK = 'pp-ocrv6-small-int8';
const MAX_SIDE = 4096;
const WARM_UP_PAGES = 12;

/** One run of a model: which, and what it was given. */
interface Run {
  readonly model: 'detector' | 'recognizer';
  readonly input: Float32Array;
  readonly dims: readonly number[];
}

/** Keeps the runs of one page and the time inside of them, and how long the keeping took. */
class Recorder {
  runs: Run[] = [];
  ms = 0;
  keepingMs = { detector: 0, recognizer: 0 };

  around(model: Run['model'], session: Session): Session {
    return {
      run: async (input, dims) => {
        const arrived = performance.now();
        // The page gives the memory of its inputs back.
        this.runs.push({ model, input: input.slice(), dims });
        const start = performance.now();
        this.keepingMs[model] += start - arrived;
        const output = await session.run(input, dims);
        this.ms += performance.now() - start;
        return output;
      },
    };
  }
}

/** Milliseconds, summed over the pages of a round. */
interface RoundSums {
  readonly pageMs: number;
  readonly decodeMs: number;
  readonly detectMs: number;
  readonly recognizeMs: number;
  readonly modelsInsideMs: number;
  readonly modelsAloneMs: number;
  /** Of this process, all of its threads; unlike the times above it hardly depends on what else the machine does. */
  readonly pageCpuMs: number;
  readonly modelsAloneCpuMs: number;
}

const cpuMs = (): number => process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000;

/**
 * Reads every picture in this process, one at a time, and after each one runs the models alone on what they were given
 * (their time depends a little on it: noise takes the recognizer a fifth longer). What is left over is what the pipeline
 * costs beside its models.
 *
 * @returns the median over the rounds of the CPU time of pages over that of the models alone
 */
export async function measureOverhead(set: readonly LabelledImage[], rounds: number, outDir: string): Promise<number> {
  const modelsDir = fileURLToPath(new URL('../models', import.meta.url));
  const models = await loadModels({ modelsDir, modelPack: PACK });
  const recorder = new Recorder();
  const watched: Models = {
    ...models,
    detector: recorder.around('detector', models.detector),
    recognizer: recorder.around('recognizer', models.recognizer),
  };
  const sums: RoundSums[] = [];
  // Round 0 compiles the code and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const sum = {
      pageMs: 0,
      decodeMs: 0,
      detectMs: 0,
      recognizeMs: 0,
      modelsInsideMs: 0,
      modelsAloneMs: 0,
      pageCpuMs: 0,
      modelsAloneCpuMs: 0,
    };
    for (const { bytes } of round === 0 ? set.slice(0, WARM_UP_PAGES) : set) {
      recorder.runs = [];
      recorder.ms = 0;
      recorder.keepingMs = { detector: 0, recognizer: 0 };
      const pageCpu = cpuMs();
      const { timings } = await readPage(bytes, { maxSide: MAX_SIDE }, watched);
      const { detector, recognizer } = recorder.keepingMs;
      sum.pageMs += timings.totalMs - detector - recognizer;
      sum.decodeMs += timings.decodeMs;
      sum.detectMs += timings.detectMs - detector;
      sum.recognizeMs += timings.recognizeMs - recognizer;
      sum.modelsInsideMs += recorder.ms;
      const aloneCpu = cpuMs();
      sum.pageCpuMs += aloneCpu - pageCpu - detector - recognizer;
      const start = performance.now();
      for (const { model, input, dims } of recorder.runs) await models[model].run(input, dims);
      sum.modelsAloneMs += performance.now() - start;
      sum.modelsAloneCpuMs += cpuMs() - aloneCpu;
    }
    log(`overhead: round ${round} of ${rounds}: ${rounded(sum.pageMs / 1000)} s`);
    if (round > 0) sums.push(sum);
  }

  const ratios = sums.map(({ pageMs, modelsAloneMs }) => pageMs / modelsAloneMs);
  const cpuRatio = median(sums.map(({ pageCpuMs, modelsAloneCpuMs }) => pageCpuMs / modelsAloneCpuMs));
  await report(
    outDir,
    'overhead',
    { pack: PACK, pages: set.length, rounds: sums, ratio: median(ratios), cpuRatio, atMost: 1.15 },
    sums.map((sum, i) => ({
      round: i + 1,
      'pages s': rounded(sum.pageMs / 1000),
      'decode s': rounded(sum.decodeMs / 1000),
      'detect s': rounded(sum.detectMs / 1000),
      'recognize s': rounded(sum.recognizeMs / 1000),
      'models inside s': rounded(sum.modelsInsideMs / 1000),
      'models alone s': rounded(sum.modelsAloneMs / 1000),
      'pages / alone': rounded(ratios[i] ?? NaN, 3),
      'the same, CPU time': rounded(sum.pageCpuMs / sum.modelsAloneCpuMs, 3),
    })),
  );
  return cpuRatio;
}
