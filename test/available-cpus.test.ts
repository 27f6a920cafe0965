import os from 'node:os';
import t from 'tap';
import { availableCpus } from '../src/available-cpus.ts';

const files = (content: Record<string, string>) => (path: string) => {
  const text = content[path];
  if (text === undefined) throw new Error('ENOENT');
  return text;
};

t.test('the CPU quota of the container bounds the count', async (t) => {
  const all = os.availableParallelism();
  const cases: [string, Record<string, string>, number][] = [
    ['no control groups', {}, all],
    ['v2 without a limit', { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }, all],
    ['v2, one CPU', { '/sys/fs/cgroup/cpu.max': '100000 100000\n' }, 1],
    ['v2, a tenth of a CPU is still one', { '/sys/fs/cgroup/cpu.max': '10000 100000\n' }, 1],
    ['v2, more than there is', { '/sys/fs/cgroup/cpu.max': '99900000 100000\n' }, all],
    [
      'v1, one CPU',
      { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '100000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
      1,
    ],
    [
      'v1 without a limit',
      { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' },
      all,
    ],
    [
      'v1 with the joined mount',
      {
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '50000\n',
      },
      1,
    ],
  ];
  for (const [name, content, expected] of cases) t.equal(availableCpus(files(content)), expected, name);
});
