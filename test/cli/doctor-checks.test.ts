import t from 'tap';
import {
  checkAllocator,
  checkMemory,
  checkNode,
  checkProcessor,
  checkSettingsFound,
  checkThreads,
} from '../../src/cli/doctor-checks.ts';
import { parseCpuFlags } from '../../src/cli/machine.ts';

const GIBIBYTE = 2 ** 30;

t.test('Node', async (t) => {
  t.match(checkNode({ nodeVersion: '24.0.1' }), { status: 'ok', found: 'Node 24.0.1' });
  t.match(checkNode({ nodeVersion: '22.12.0' }), { status: 'fault', change: /Node 24/ });
});

t.test('processor: what the 8-bit models are for', async (t) => {
  const rows: [arch: string, cpuinfo: string, status: string, found: RegExp][] = [
    ['x64', 'model name\t: X\nflags\t\t: fpu avx2 avx512bw avx512_vnni\n', 'ok', /AVX512, VNNI/],
    ['x64', 'flags : avx2 avx_vnni', 'ok', /AVX2, VNNI/],
    ['x64', 'flags : avx2 fma', 'advice', /AVX2 without VNNI/],
    ['x64', 'flags : sse4_2 avx', 'advice', /without AVX2/],
    ['arm64', 'Features\t: fp asimd asimddp i8mm', 'ok', /dot product, i8mm/],
    ['arm64', 'Features\t: fp asimd', 'advice', /without dot product/],
    ['arm64', 'nothing of the kind', 'ok', /cannot be told/],
  ];
  for (const [arch, cpuinfo, status, found] of rows) {
    const finding = checkProcessor({ arch, cpuModel: 'Some CPU', cpuFlags: parseCpuFlags(cpuinfo) });
    t.match(finding, { check: 'processor', status, found }, cpuinfo);
    t.equal(finding.change === undefined, status === 'ok', 'what to change is said where something is to be changed');
  }
});

t.test('allocator: advice where engine processes have to do without jemalloc', async (t) => {
  t.match(checkAllocator({ jemalloc: '/usr/lib/libjemalloc.so.2' }), { status: 'ok', found: /jemalloc/ });
  t.match(checkAllocator({ jemalloc: undefined }), { status: 'advice', change: /libjemalloc2/ });
});

t.test('threads: engine processes against CPUs and quota', async (t) => {
  const machine = { cpus: 8, allowedCpus: 8, cpuQuota: 2, usableCpus: 2 };
  t.match(checkThreads(machine, { OCR_ENGINE_PROCESSES: 2 }), { status: 'ok', found: /allowed: 8, quota 2$/ });
  t.match(checkThreads(machine, { OCR_ENGINE_PROCESSES: 8 }), {
    status: 'advice',
    change: /OCR_ENGINE_PROCESSES to 2,/,
  });
  t.match(checkThreads(machine, { OCR_ENGINE_PROCESSES: 1 }), { status: 'advice', change: /to 2, or leave it out/ });
  t.match(checkThreads({ ...machine, cpuQuota: 0.5, usableCpus: 1 }, { OCR_ENGINE_PROCESSES: 1 }), {
    status: 'advice',
    found: /quota 0\.5$/,
    change: /at least one CPU/,
  });
  const unlimited = { cpus: 2, allowedCpus: 2, cpuQuota: Infinity, usableCpus: 2 };
  t.match(checkThreads(unlimited, { OCR_ENGINE_PROCESSES: 2 }), { status: 'ok', found: /allowed: 2$/ });
});

t.test('memory: the limit against what the settings may take', async (t) => {
  const roomy = { memoryBytes: 16 * GIBIBYTE, memoryIsLimited: false, freeBytes: 12 * GIBIBYTE };
  const two = { OCR_ENGINE_PROCESSES: 2, OCR_ENGINE_MEMORY_MB: 1024 };
  t.match(checkMemory(roomy, two), {
    status: 'ok',
    found: /^machine: 16384 MiB, free: 12288 MiB; .* 750 MiB, .* 2000 MiB$/,
  });
  const small = { memoryBytes: GIBIBYTE / 2, memoryIsLimited: true, freeBytes: GIBIBYTE / 2 };
  t.match(checkMemory(small, two), {
    status: 'fault',
    found: /^limit of the container: 512 MiB/,
    change: /750 MiB at least or set OCR_ENGINE_PROCESSES to 1\./,
  });
  const tight = { memoryBytes: GIBIBYTE, memoryIsLimited: true, freeBytes: GIBIBYTE };
  t.match(checkMemory(tight, two), {
    status: 'advice',
    change: /give it 2000 MiB or set OCR_ENGINE_MEMORY_MB to 437\./,
  });
  t.match(checkMemory(tight, { ...two, OCR_ENGINE_MEMORY_MB: 437 }), { status: 'ok' });
  t.match(checkMemory({ ...roomy, freeBytes: GIBIBYTE / 4 }, two), { status: 'advice', change: /Other processes/ });
});

t.test('settings', async (t) => {
  t.match(checkSettingsFound({ faults: [], strangers: [] }), { status: 'ok' });
  t.match(checkSettingsFound({ faults: ['PORT is bad', 'HOST too'], strangers: ['x'] }), {
    status: 'fault',
    found: 'PORT is bad; HOST too',
  });
  t.match(checkSettingsFound({ faults: [], strangers: ['OCR_X is no setting'] }), { status: 'advice' });
});
