import { execFileSync } from 'node:child_process';
import path from 'node:path';
import t from 'tap';
import { allocatorEnvironment, findJemalloc } from '../../src/engine/allocator.ts';

t.test('without jemalloc glibc has one arena', async (t) => {
  const paths = [path.join(t.testdir({}), 'libjemalloc.so.2')];
  t.equal(findJemalloc(paths), undefined);
  t.strictSame(allocatorEnvironment(paths), { MALLOC_ARENA_MAX: '1' });
});

t.test('the first jemalloc that is there is loaded', async (t) => {
  const dir = t.testdir({ 'libjemalloc.so.2': '' });
  const library = path.join(dir, 'libjemalloc.so.2');
  t.equal(findJemalloc([path.join(dir, 'elsewhere.so'), library]), process.platform === 'linux' ? library : undefined);
  t.match(allocatorEnvironment([library]), { LD_PRELOAD: library, MALLOC_CONF: /narenas:1/ });
});

t.test(
  'a library that cannot be loaded does not keep a process from starting',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const library = path.join(t.testdir({ 'libjemalloc.so.2': 'no library' }), 'libjemalloc.so.2');
    const said = execFileSync(process.execPath, ['-p', '6 * 7'], {
      env: allocatorEnvironment([library]),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.equal(said, '42\n');
  },
);

const jemalloc = findJemalloc();
t.test('jemalloc knows the options', { skip: jemalloc === undefined && 'no jemalloc on this system' }, async (t) => {
  const env = allocatorEnvironment();
  const maps = `require('node:fs').readFileSync('/proc/self/maps', 'utf8').includes('jemalloc')`;
  // Its complaints about options that it does not know come on standard error.
  t.equal(
    execFileSync('sh', ['-c', `"$0" -p "$1" 2>&1`, process.execPath, maps], {
      env: { ...env, PATH: process.env.PATH },
      encoding: 'utf8',
    }),
    'true\n',
  );
});
