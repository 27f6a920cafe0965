import { readdirSync, readFileSync } from 'node:fs';
import { startService } from '../test/running-service.ts';
import type { LabelledImage } from './labelled-set.ts';
import { PATIENT, postSet } from './post-set.ts';
import { log, report, rounded } from './report.ts';

const ENGINE_PROCESSES = 2;
const CONCURRENCY = 2;

/** Memory of one process in MB (2^20 bytes), as Linux counts it. */
export interface ProcessMemory {
  readonly pid: number;
  readonly title: string;
  /** Resident set; pages shared between processes count in each. */
  readonly residentMb: number;
  /** Proportional set: shared pages are divided among their users. */
  readonly proportionalMb: number;
  readonly peakResidentMb: number;
}

/** Starts the service, posts the set at concurrency 2 round by round and measures all of its processes after each one. */
export async function measureMemory(set: readonly LabelledImage[], rounds: number, outDir: string): Promise<void> {
  const service = await startService({ ...PATIENT, OCR_ENGINE_PROCESSES: `${ENGINE_PROCESSES}` }, { built: true });
  const server = service.process.pid ?? 0;
  const measured: { after: string; processes: ProcessMemory[] }[] = [];
  try {
    measured.push({ after: 'start', processes: processTree(server).map(memoryOf) });
    for (let round = 1; round <= rounds; round++) {
      await postSet(service.url, set, CONCURRENCY);
      measured.push({ after: `round ${round}`, processes: processTree(server).map(memoryOf) });
      log(`memory: round ${round} of ${rounds}`);
    }
  } finally {
    await service.stop();
  }
  const sum = (processes: readonly ProcessMemory[], of: (p: ProcessMemory) => number): number =>
    rounded(
      processes.reduce((total, process) => total + of(process), 0),
      0,
    );
  const totals = measured.map(({ after, processes }) => ({
    after,
    processes: processes.length,
    'resident MB': sum(processes, (p) => p.residentMb),
    'proportional MB': sum(processes, (p) => p.proportionalMb),
    'sum of peaks MB': sum(processes, (p) => p.peakResidentMb),
    each: processes.map(({ residentMb }) => rounded(residentMb, 0)).join(' + '),
  }));
  await report(
    outDir,
    'memory',
    { engineProcesses: ENGINE_PROCESSES, concurrency: CONCURRENCY, pages: set.length, atMostMb: 700, totals, measured },
    totals,
  );
}

/** A process and everything below it. */
export function processTree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  );
  return [pid, ...children.flatMap(processTree)];
}

export function memoryOf(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const shares = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const megabytes = (text: string, field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return {
    pid,
    title: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim(),
    residentMb: megabytes(status, 'VmRSS'),
    proportionalMb: megabytes(shares, 'Pss'),
    peakResidentMb: megabytes(status, 'VmHWM'),
  };
}
