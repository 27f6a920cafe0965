import { readFileSync } from 'node:fs';
import os from 'node:os';
import { availableCpus, cpuQuota } from '../available-cpus.ts';
import { findJemalloc } from '../engine/allocator.ts';

/** What this process has of the machine. */
export interface Machine {
  /** Without the v. */
  readonly nodeVersion: string;
  /** Node's name: `x64`, `arm64`. */
  readonly arch: string;
  readonly cpuModel: string;
  /** Instruction sets as Linux names them; undefined elsewhere. */
  readonly cpuFlags: ReadonlySet<string> | undefined;
  /** CPUs of the machine. */
  readonly cpus: number;
  /** CPUs that this process may run on (affinity, container). */
  readonly allowedCpus: number;
  /** CPUs by the quota of the control group; infinite without one. */
  readonly cpuQuota: number;
  /** What OCR_ENGINE_PROCESSES=0 makes of them. */
  readonly usableCpus: number;
  /** The smaller of the container's limit and the machine's memory, in bytes. */
  readonly memoryBytes: number;
  readonly memoryIsLimited: boolean;
  /** Memory that new processes can get now, in bytes. */
  readonly freeBytes: number;
  /** The jemalloc that engine processes run with; undefined: they have the system's allocator. */
  readonly jemalloc: string | undefined;
}

export function inspectMachine(): Machine {
  const total = os.totalmem();
  // 0 or more than there is where nothing limits it (libuv's uv_get_constrained_memory).
  const limit = process.constrainedMemory();
  const limited = limit > 0 && limit < total;
  return {
    nodeVersion: process.versions.node,
    arch: process.arch,
    cpuModel: os.cpus()[0]?.model.trim() ?? 'unknown',
    cpuFlags: readCpuFlags(),
    cpus: os.cpus().length,
    allowedCpus: os.availableParallelism(),
    cpuQuota: cpuQuota(),
    usableCpus: availableCpus(),
    memoryBytes: limited ? limit : total,
    memoryIsLimited: limited,
    freeBytes: process.availableMemory(),
    jemalloc: findJemalloc(),
  };
}

function readCpuFlags(): Set<string> | undefined {
  try {
    return parseCpuFlags(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return undefined;
  }
}

/** The first processor's `flags` (x86) or `Features` (ARM) of /proc/cpuinfo. */
export function parseCpuFlags(cpuinfo: string): Set<string> | undefined {
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo)?.[1];
  return flags === undefined ? undefined : new Set(flags.trim().split(/\s+/));
}
