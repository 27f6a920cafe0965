import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Where a container finds its own CPU quota: control groups version 2, then version 1 (both spellings of the mount). */
const CGROUP_DIRS = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpu,cpuacct'];

/**
 * CPUs that this process really gets, at least 1. Node's own count follows CPU affinity and version 2 quotas but not a
 * version 1 quota seen from inside a container (`docker run --cpus 1` on such a host counted 2 with libuv 1.52), and an
 * engine process for every CPU of the host would only be throttled. A quota of 1.5 CPUs counts as 2.
 *
 * @param readText reads a file, throws if there is none; a test puts its own in
 */
export function availableCpus(readText = readFile): number {
  return Math.max(1, Math.min(os.availableParallelism(), Math.round(cpuQuota(readText))));
}

/** CPUs that the control group allows, not rounded; infinite where nothing limits them. `readText` as above. */
export function cpuQuota(readText = readFile): number {
  return Math.min(...CGROUP_DIRS.map((dir) => quotaIn(dir, readText)));
}

const readFile = (path: string): string => readFileSync(path, 'utf8');

/** CPUs allowed by the quota files of one folder; infinite without files or without a limit. */
function quotaIn(dir: string, readText: (path: string) => string): number {
  const numbers = (file: string): number[] => {
    try {
      return readText(`${dir}/${file}`).trim().split(/\s+/).map(Number);
    } catch {
      return [];
    }
  };
  const [quota = NaN, period = NaN] = numbers('cpu.max'); // "max 100000" without a limit
  if (quota > 0 && period > 0) return quota / period;
  const [quotaUs = NaN] = numbers('cpu.cfs_quota_us'); // -1 without a limit
  const [periodUs = NaN] = numbers('cpu.cfs_period_us');
  return quotaUs > 0 && periodUs > 0 ? quotaUs / periodUs : Infinity;
}
