import { existsSync } from 'node:fs';

/** Where jemalloc 5 lies: Debian and Ubuntu (`libjemalloc2`) on both processors, Fedora and RHEL (`jemalloc`), Arch. */
const JEMALLOC_PATHS: readonly string[] = [
  '/usr/lib/x86_64-linux-gnu/libjemalloc.so.2',
  '/usr/lib/aarch64-linux-gnu/libjemalloc.so.2',
  '/usr/lib64/libjemalloc.so.2',
  '/usr/lib/libjemalloc.so.2',
];

/**
 * One arena, because what one thread has freed must serve the others. `oversize_threshold`: without it blocks from 8 MB on,
 * which every detection asks for, are given back at once and faulted in again. `thp`: without huge pages that faulting takes 15
 * to 30 % of the processor time. `dirty_decay_ms`: freed memory is kept for the next pages and given back when none come; with
 * jemalloc's own 10 s the set took 4 % longer than with glibc, with 60 s 2 %, and as much memory either way.
 */
const JEMALLOC_OPTIONS = 'narenas:1,oversize_threshold:0,thp:always,dirty_decay_ms:60000,muzzy_decay_ms:0';

/**
 * glibc keeps freed memory in one arena for each thread, where the others cannot use it: with one arena for all a process
 * holds 289 MB instead of 316 to 337 after the same pages, in the same CPU time.
 */
const GLIBC = { MALLOC_ARENA_MAX: '1' };

/** The jemalloc of this system, if it has one. */
export function findJemalloc(paths = JEMALLOC_PATHS): string | undefined {
  return process.platform === 'linux' ? paths.find((path) => existsSync(path)) : undefined;
}

/**
 * Environment that makes an engine process give memory back: jemalloc where the system has it, else glibc with one arena.
 * onnxruntime frees every intermediate result (its own arena is off: two thirds of the memory for 7 % of the time), and
 * glibc keeps what lies below a block in use. A library that cannot be loaded is a line on standard error, no failure.
 */
export function allocatorEnvironment(paths = JEMALLOC_PATHS): Readonly<Record<string, string>> {
  const jemalloc = findJemalloc(paths);
  return jemalloc === undefined ? GLIBC : { ...GLIBC, LD_PRELOAD: jemalloc, MALLOC_CONF: JEMALLOC_OPTIONS };
}
