import { startService } from '../test/running-service.ts';
import { exactLines, type LabelledImage } from './labelled-set.ts';
import { measureOverhead } from './overhead.ts';
import { PATIENT, postSet } from './post-set.ts';
import { log, median, report, rounded } from './report.ts';

/**
 * What a busy machine still keeps: ratios of things measured in turns, with room for its noise. Times are never judged.
 * The figures beside them were measured on a quiet machine (docs/performance.md).
 */
const BOUNDS = {
  /** CPU time of whole pages over that of their models alone; 1.2. */
  overhead: 1.6,
  /** Time of a page with a second engine process to help over that without; 0.65. */
  help: 1.1,
  /** Share of the labelled lines that are read exactly; 0.96. */
  leastExact: 0.85,
};

/** @throws {Error} naming the ratio that left its bounds */
export async function checkRatios(set: readonly LabelledImage[], rounds: number, outDir: string): Promise<void> {
  const overhead = await measureOverhead(set, rounds, outDir);
  const one = await startService({ ...PATIENT, OCR_ENGINE_PROCESSES: '1' });
  const two = await startService({ ...PATIENT, OCR_ENGINE_PROCESSES: '2' });
  const ratios: number[] = [];
  let exact = 1;
  try {
    // Round 0 compiles the code and is not counted.
    for (let round = 0; round <= rounds; round++) {
      const alone = await postSet(one.url, set, 1);
      const helped = await postSet(two.url, set, 1);
      if (JSON.stringify(alone.predictions) !== JSON.stringify(helped.predictions)) {
        throw new Error('with help the service answers differently');
      }
      exact = Math.min(exact, exactLines(set, helped.predictions));
      if (round > 0) ratios.push(helped.seconds / alone.seconds);
      log(`check: alone ${rounded(alone.seconds)} s, with help ${rounded(helped.seconds)} s`);
    }
  } finally {
    await Promise.all([one.stop(), two.stop()]);
  }
  const help = median(ratios);
  const rows = [
    { ratio: 'pages over models alone, CPU time', measured: rounded(overhead), bound: `at most ${BOUNDS.overhead}` },
    { ratio: 'a page with help over alone', measured: rounded(help), bound: `at most ${BOUNDS.help}` },
    { ratio: 'lines exact', measured: rounded(exact, 3), bound: `at least ${BOUNDS.leastExact}` },
  ];
  await report(outDir, 'check', { overhead, help, exact, bounds: BOUNDS }, rows);
  const failed = [overhead > BOUNDS.overhead, help > BOUNDS.help, exact < BOUNDS.leastExact];
  console.log(`${failed.filter((bad) => !bad).length} passed, ${failed.filter(Boolean).length} failed`);
  if (failed.includes(true))
    throw new Error(`out of bounds: ${rows.filter((_, i) => failed[i]).map(({ ratio }) => ratio)}`);
}
