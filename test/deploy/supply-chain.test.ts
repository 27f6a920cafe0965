import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { isAllowed, licencesDocument, licensedPackages, type Lock, type Models } from '../../scripts/licences.ts';
import { notesOf, prepareRelease, RELEASE_FILES, releaseFaults } from '../../scripts/release.ts';

const root = new URL('../../', import.meta.url);
const text = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8');
const lock = JSON.parse(await text('package-lock.json')) as Lock;

t.test('every package in production has a licence that is allowed', async (t) => {
  const packages = licensedPackages(lock);
  t.ok(packages.length > 100);
  t.notOk(
    packages.some(({ name }) => name === 'tap'),
    'development packages are not looked at',
  );
  for (const { name, licence } of packages) t.ok(isAllowed(name, licence), `${name}: ${licence}`);
});

t.test('licences', async (t) => {
  t.ok(isAllowed('x', '(MIT OR GPL-3.0-only)'));
  t.ok(isAllowed('x', 'GPL-3.0-only OR Apache-2.0 AND MIT'));
  t.ok(isAllowed('@img/sharp-libvips-linux-x64', 'LGPL-3.0-or-later'));
  const refused = [
    'GPL-3.0-only',
    'AGPL-3.0-or-later',
    'LGPL-3.0-or-later',
    'none given',
    'UNLICENSED',
    'MIT AND GPL-2.0-only',
  ];
  for (const licence of refused) t.notOk(isAllowed('x', licence), licence);
  t.notOk(isAllowed('x', 'MIT AND (GPL-2.0-only OR MIT)'), 'what is too hard to read is refused');
});

t.test('docs/licences.md is current (npm run licences writes it)', async (t) => {
  const models = JSON.parse(await text('models/manifest.json')) as Models;
  t.equal(await text('docs/licences.md'), licencesDocument(lock, models));
});

t.test('what has native code has it for both platforms of the image', async (t) => {
  for (const arch of ['x64', 'arm64']) {
    t.ok(lock.packages[`node_modules/@img/sharp-linux-${arch}`], `sharp, ${arch}`);
    t.ok(lock.packages[`node_modules/@img/sharp-libvips-linux-${arch}`], `libvips, ${arch}`);
    const [binding] = globSync(`node_modules/onnxruntime-node/bin/*/linux/${arch}/*.node`, { cwd: root.pathname });
    t.ok(binding, `onnxruntime, ${arch}`);
  }
});

t.test('a release', async (t) => {
  const files = new Map(await Promise.all(RELEASE_FILES.map(async (file) => [file, await text(file)] as const)));
  t.test('every place of the version is found and written', async (t) => {
    const prepared = prepareRelease(files, '98.7.0', '2099-01-01');
    t.strictSame(releaseFaults(prepared, '98.7.0'), ['UPGRADING.md has no part "To 98.7"']);
    t.match(prepared.get('CHANGELOG.md'), '## Unreleased\n\n## 98.7.0 - 2099-01-01\n');
    t.equal(
      releaseFaults(prepared, '98.7.1').length,
      12,
      'of another version every place is wrong, and there are no notes',
    );
  });
  t.test('what a release asks of people is there', async (t) => {
    const upgrading = new Map([...prepareRelease(files, '98.7.0', '2099-01-01'), ['UPGRADING.md', '\n## To 98.7\n']]);
    t.strictSame(releaseFaults(upgrading, '98.7.0'), []);
    t.strictSame(releaseFaults(prepareRelease(files, '98.7.1', '2099-01-01'), '98.7.1'), [], 'a patch asks nothing');
    t.match(releaseFaults(files, 'latest'), [/not a version/]);
  });
  t.test('its notes are its own part of the changelog', async (t) => {
    const changelog = '# C\n\n## Unreleased\n\n## 1.1.0 - 2099-01-01\n\n- new\n\n## 1.0.0 - 2098-01-01\n\n- old\n';
    t.equal(notesOf(changelog, '1.1.0')?.trim(), '- new');
    t.equal(notesOf(changelog, '1.0.0')?.trim(), '- old');
    t.equal(notesOf(changelog, '1.2.0'), undefined);
  });
});
