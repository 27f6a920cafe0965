import type { Config } from '../config.ts';
import type { Machine } from './machine.ts';
import type { SettingsCheck } from './settings-check.ts';

/** `advice`: it works, and would work better. `fault`: it does not work, or will not for long. */
export type FindingStatus = 'ok' | 'advice' | 'fault';

/** What was looked at, what was found, and what to change about it. */
export interface Finding {
  readonly check: string;
  readonly status: FindingStatus;
  readonly found: string;
  /** Absent if nothing has to be changed. */
  readonly change?: string;
}

/** Major version in `engines` of package.json. */
const NEEDED_NODE = 24;

const MEBIBYTE = 2 ** 20;

/**
 * Memory to plan with in MiB, as measured in docs/robustness.md: an engine process with ordinary pictures and with the
 * largest that strangers may send, and the server process with the largest requests.
 */
const PROCESS_MB = { ordinary: 300, largest: 700 } as const;
const SERVER_MB = { ordinary: 150, largest: 600 } as const;

const ok = (check: string, found: string): Finding => ({ check, status: 'ok', found });
const advice = (check: string, found: string, change: string): Finding => ({ check, status: 'advice', found, change });
const fault = (check: string, found: string, change: string): Finding => ({ check, status: 'fault', found, change });

export function checkNode({ nodeVersion }: Pick<Machine, 'nodeVersion'>): Finding {
  const found = `Node ${nodeVersion}`;
  return Number(nodeVersion.split('.')[0]) >= NEEDED_NODE
    ? ok('node', found)
    : fault('node', found, `Install Node ${NEEDED_NODE} or later, or use the container image.`);
}

const VIRTUAL = 'In a virtual machine, give it the CPU type of its host (QEMU: host).';

/** The models are of 8 bits: instructions that multiply and add four bytes at once (VNNI, dot product) are what they are for. */
export function checkProcessor({ arch, cpuModel, cpuFlags }: Pick<Machine, 'arch' | 'cpuModel' | 'cpuFlags'>): Finding {
  const check = 'processor';
  const name = `${cpuModel} (${arch})`;
  if (cpuFlags === undefined) return ok(check, `${name}; its instruction sets cannot be told on this system`);
  const has = (...flags: string[]): boolean => flags.some((flag) => cpuFlags.has(flag));
  if (arch === 'arm64') {
    if (has('asimddp')) return ok(check, `${name}, dot product${has('i8mm') ? ', i8mm' : ''}`);
    return advice(
      check,
      `${name} without dot product instructions`,
      'The 8-bit models read slower here than they could: prefer processors from ARMv8.2 with dotprod on.',
    );
  }
  const vector = has('avx512bw') ? 'AVX512' : has('avx2') ? 'AVX2' : undefined;
  if (vector === undefined) {
    return advice(check, `${name} without AVX2`, `Reading is several times slower than with AVX2. ${VIRTUAL}`);
  }
  if (has('avx512_vnni', 'avx_vnni')) return ok(check, `${name}, ${vector}, VNNI`);
  return advice(
    check,
    `${name}, ${vector} without VNNI`,
    `Results are the same; the 8-bit models read faster with VNNI (Intel from 2019, AMD from Zen 4 on). ${VIRTUAL}`,
  );
}

/** Engine processes against what the processor and the container really give. */
export function checkThreads(
  { cpus, allowedCpus, cpuQuota, usableCpus }: Pick<Machine, 'cpus' | 'allowedCpus' | 'cpuQuota' | 'usableCpus'>,
  { OCR_ENGINE_PROCESSES: processes }: Pick<Config, 'OCR_ENGINE_PROCESSES'>,
): Finding {
  const check = 'threads';
  const quota = Number.isFinite(cpuQuota) ? `, quota ${Number(cpuQuota.toFixed(2))}` : '';
  const found = `engine processes: ${processes}; CPUs of the machine: ${cpus}, allowed: ${allowedCpus}${quota}`;
  if (processes > usableCpus) {
    return advice(
      check,
      found,
      `Set OCR_ENGINE_PROCESSES to ${usableCpus}, or leave it out: more processes than CPUs only take turns, and memory.`,
    );
  }
  if (processes < usableCpus) {
    return advice(
      check,
      found,
      `Set OCR_ENGINE_PROCESSES to ${usableCpus}, or leave it out, unless something else needs the other CPUs.`,
    );
  }
  if (cpuQuota < 1)
    return advice(check, found, 'Give the container at least one CPU: pages wait for the rest of each period.');
  return ok(check, found);
}

/** The limit, and what is free of it, against what the settings may take. */
export function checkMemory(
  { memoryBytes, memoryIsLimited, freeBytes }: Pick<Machine, 'memoryBytes' | 'memoryIsLimited' | 'freeBytes'>,
  config: Pick<Config, 'OCR_ENGINE_PROCESSES' | 'OCR_ENGINE_MEMORY_MB'>,
): Finding {
  const check = 'memory';
  const processes = config.OCR_ENGINE_PROCESSES;
  const limitMb = Math.floor(memoryBytes / MEBIBYTE);
  const freeMb = Math.floor(freeBytes / MEBIBYTE);
  const ordinary = SERVER_MB.ordinary + processes * PROCESS_MB.ordinary;
  const largest = SERVER_MB.largest + processes * PROCESS_MB.largest;
  const where = memoryIsLimited ? 'limit of the container' : 'machine';
  const found = `${where}: ${limitMb} MiB, free: ${freeMb} MiB; ${processes} engine processes take about ${ordinary} MiB, with the largest pictures ${largest} MiB`;
  const fitting = Math.max(1, Math.floor((limitMb - SERVER_MB.ordinary) / PROCESS_MB.ordinary));
  const fewer = processes > fitting ? ` or set OCR_ENGINE_PROCESSES to ${fitting}` : '';
  if (limitMb < ordinary) {
    return fault(
      check,
      found,
      `Processes will be killed for want of memory. Give it ${ordinary} MiB at least${fewer}.`,
    );
  }
  if (freeMb < ordinary) {
    return advice(
      check,
      found,
      'Other processes hold most of it: free some, unless this service is running already and is one of them.',
    );
  }
  const shareMb = Math.floor((limitMb - SERVER_MB.ordinary) / processes);
  if (config.OCR_ENGINE_MEMORY_MB > shareMb) {
    return advice(
      check,
      found,
      `A process is replaced from OCR_ENGINE_MEMORY_MB=${config.OCR_ENGINE_MEMORY_MB} on, and with ${processes} of them the memory ` +
        `is gone before. Where strangers may send the largest pictures, give it ${largest} MiB or set OCR_ENGINE_MEMORY_MB to ${Math.max(256, shareMb)}.`,
    );
  }
  return ok(check, found);
}

/** What engine processes ask for memory, and what they do with freed one. */
export function checkAllocator({ jemalloc }: Pick<Machine, 'jemalloc'>): Finding {
  const check = 'allocator';
  return jemalloc === undefined
    ? advice(
        check,
        "the system's",
        'Install jemalloc (Debian, Ubuntu: libjemalloc2): engine processes then hold a quarter less memory.',
      )
    : ok(check, jemalloc);
}

export function checkSettingsFound({ faults, strangers }: Pick<SettingsCheck, 'faults' | 'strangers'>): Finding {
  const check = 'settings';
  if (faults.length > 0) return fault(check, faults.join('; '), 'Mend them: the service does not start with them.');
  if (strangers.length > 0) return advice(check, strangers.join('; '), 'Mend their names, or take them out.');
  return ok(check, 'valid (general-ocr config shows them)');
}
