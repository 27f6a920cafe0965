import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A text of /proc, or nothing for a process that has just ended. Linux only. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Process ids of the children of `pid`: the engine processes of a service. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${child}/status`))?.[1]) === pid);
}

/** Resident memory of one process in bytes; 0 if it is gone. */
export function residentBytes(pid: number): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Highest resident memory that a process has ever had, in bytes; 0 if it is gone. */
export function peakBytes(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Linux counts processor time in ticks of 10 ms (proc(5)). */
const TICK_SECONDS = 0.01;

/** Processor time that a process has used, in ticks (proc(5): utime and stime); 0 if it is gone. */
function processorTicks(pid: number): number {
  // The name, in parentheses, may hold spaces.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** Processor time that these and their children have used so far, in seconds. */
export const processorSeconds = (all: readonly { readonly pid?: number | undefined }[]): number =>
  TICK_SECONDS *
  all
    .map(pidOf)
    .flatMap((pid) => [pid, ...childrenOf(pid)])
    .reduce((sum, pid) => sum + processorTicks(pid), 0);

/** Resident memory of a service with all its engine processes, in bytes. */
export function serviceBytes(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + residentBytes(each), 0);
}

/** Sockets that a process holds open, pipes to its children not counted. */
export function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

/** The process id of something that was started. */
export function pidOf(process: { readonly pid?: number | undefined }): number {
  if (process.pid === undefined) throw new Error('the service was not started');
  return process.pid;
}
