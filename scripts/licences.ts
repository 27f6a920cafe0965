/**
 * Writes docs/licences.md, the licences of everything that a running service loads, from package-lock.json and
 * models/manifest.json: `npm run licences`. Fails with the packages whose licence is not allowed; a test does the same.
 */
import { readFile, writeFile } from 'node:fs/promises';

interface LockEntry {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}
export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}
export interface Models {
  readonly packs: readonly { readonly name: string; readonly licence: string; readonly embedded: boolean }[];
}

/** Licences that ask for no more than their text and the names: nothing that reaches over to a program beside them. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'CC0-1.0', 'ISC', 'MIT'],
]);

/** Licences allowed for named packages only, each with its reason. */
const EXCEPTIONS: readonly { readonly licence: string; readonly packages: RegExp; readonly reason: string }[] = [
  {
    licence: 'LGPL-3.0-or-later',
    packages: /^@img\/sharp-/,
    reason: 'libvips, a shared library of its own that anybody can replace (LGPL-3.0, section 4); it is not changed',
  },
];

/** Whether an SPDX expression of plain identifiers, AND and OR (SPDX 2.3, annex D) can be met with what is allowed. */
export function isAllowed(name: string, expression: string): boolean {
  const met = (licence: string): boolean =>
    ALLOWED.has(licence) || EXCEPTIONS.some((one) => one.licence === licence && one.packages.test(name));
  const plain = /^\(([^()]*)\)$/.exec(expression)?.[1] ?? expression;
  // AND binds tighter than OR. With brackets inside, nothing matches: such an expression is for a person to read.
  return plain.split(' OR ').some((choice) => choice.split(' AND ').every((licence) => met(licence.trim())));
}

/** One package in production, whatever the platform. */
export interface Licensed {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
}

/** Packages that are installed without the development ones, sorted by name. */
export function licensedPackages({ packages }: Lock): Licensed[] {
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
    .map(([path, { version, license = 'none given' }]) => ({
      name: path.replace(/^.*node_modules\//, ''),
      version,
      licence: license,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

/** The document. */
export function licencesDocument(lock: Lock, models: Models): string {
  const packages = licensedPackages(lock);
  const licences = [...new Set(packages.map(({ licence }) => licence))].sort();
  const sections = licences.map((licence) => {
    const lines = packages.filter((one) => one.licence === licence).map(({ name, version }) => `- ${name} ${version}`);
    return `## ${licence}\n\n${[...new Set(lines)].join('\n')}\n`;
  });
  const exceptions = EXCEPTIONS.map(
    ({ licence, packages: which, reason }) => `- ${licence} for \`${which.source}\`: ${reason}.`,
  );
  const packs = models.packs
    .filter(({ embedded }) => embedded)
    .map(({ name, licence }) => `- model pack ${name}: ${licence}`);
  return [
    '# Licences',
    '',
    'Of everything that a running service loads, on any platform; written by `npm run licences` from package-lock.json and',
    'models/manifest.json. General OCR itself is Apache-2.0. The texts are in each package, in the image under',
    '`/app/node_modules`.',
    '',
    `Allowed are ${[...ALLOWED].join(', ')}, and`,
    '',
    ...exceptions,
    '',
    'Models that come with it:',
    '',
    ...packs,
    '',
    sections.join('\n'),
  ].join('\n');
}

if (import.meta.main) {
  const json = async (file: string): Promise<unknown> =>
    JSON.parse(await readFile(new URL(`../${file}`, import.meta.url), 'utf8'));
  const lock = (await json('package-lock.json')) as Lock;
  const models = (await json('models/manifest.json')) as Models;
  await writeFile(new URL('../docs/licences.md', import.meta.url), licencesDocument(lock, models));
  const refused = licensedPackages(lock).filter(({ name, licence }) => !isAllowed(name, licence));
  for (const { name, version, licence } of refused)
    process.stderr.write(`${name} ${version}: ${licence} is not allowed\n`);
  process.exitCode = refused.length === 0 ? 0 : 1;
}
