/**
 * A release is a tag `vX.Y.Z` on a commit whose files all say X.Y.Z; the workflow `release` does the rest.
 *
 *   node scripts/release.ts prepare X.Y.Z    writes the version everywhere and closes "Unreleased" in CHANGELOG.md
 *   node scripts/release.ts check vX.Y.Z     says what is missing for that tag
 *   node scripts/release.ts notes vX.Y.Z     prints that version's part of CHANGELOG.md
 */
import { readFile, writeFile } from 'node:fs/promises';

/** Semantic versions as this project uses them: release candidates, and no build metadata. */
const VERSION = /^\d+\.\d+\.\d+(-rc\.\d+)?$/;

/** Every file that names the version, and the place in it. */
const PLACES: readonly (readonly [file: string, place: RegExp])[] = [
  ['package.json', /(\n {2}"version": ")([^"]+)(")/],
  ['package-lock.json', /(^\{\n {2}"name": "general-ocr",\n {2}"version": ")([^"]+)(")/],
  ['package-lock.json', /(\n {4}"": \{\n {6}"name": "general-ocr",\n {6}"version": ")([^"]+)(")/],
  ['deploy/helm/general-ocr/Chart.yaml', /(\nversion: )(\S+)(\n)/],
  ['deploy/helm/general-ocr/Chart.yaml', /(\nappVersion: )(\S+)(\n)/],
  ['openapi.yaml', /(\ninfo:\n(?: {2}.*\n)*? {2}version: )(\S+)(\n)/],
  ['clients/typescript/package.json', /(\n {2}"version": ")([^"]+)(")/],
  ['clients/typescript/package-lock.json', /(^\{\n {2}"name": "general-ocr-client",\n {2}"version": ")([^"]+)(")/],
  [
    'clients/typescript/package-lock.json',
    /(\n {4}"": \{\n {6}"name": "general-ocr-client",\n {6}"version": ")([^"]+)(")/,
  ],
  ['clients/python/pyproject.toml', /(\nversion = ")([^"]+)(")/],
  ['deploy/kubernetes/general-ocr.yaml', /(\n {10}image: "?general-ocr:)([^"\s]+)("?\n)/],
];

/** Texts of the files by their names. */
export type Files = ReadonlyMap<string, string>;

export const RELEASE_FILES: readonly string[] = [
  ...new Set(PLACES.map(([file]) => file)),
  'CHANGELOG.md',
  'UPGRADING.md',
];

/** The part of CHANGELOG.md below the heading of a version; undefined without one. */
export function notesOf(changelog: string, version: string): string | undefined {
  const parts = changelog.split(/^## /m);
  return parts.find((part) => part.startsWith(`[${version}]`) || part.startsWith(`${version} `))?.replace(/^.*\n+/, '');
}

/** What is missing for a release of `version` (without `v`), a sentence each. */
export function releaseFaults(files: Files, version: string): string[] {
  if (!VERSION.test(version)) return [`${version} is not a version such as 1.2.3 or 1.2.3-rc.1`];
  const faults = PLACES.flatMap(([file, place]) => {
    const found = place.exec(files.get(file) ?? '')?.[2] ?? 'nothing';
    return found === version ? [] : [`${file} says ${found}, not ${version}`];
  });
  const notes = notesOf(files.get('CHANGELOG.md') ?? '', version);
  if (notes === undefined || notes.trim() === '') faults.push(`CHANGELOG.md has no part for ${version}`);
  // A patch asks nothing of anybody; every other release says what it asks, if only "nothing".
  const [, minor = ''] = /^(\d+\.\d+)\.0(?:-|$)/.exec(version) ?? [];
  if (minor !== '' && !new RegExp(`^## To ${minor.replace('.', '\\.')}$`, 'm').test(files.get('UPGRADING.md') ?? '')) {
    faults.push(`UPGRADING.md has no part "To ${minor}"`);
  }
  return faults;
}

/** The files with `version` in every place and "Unreleased" closed under it. */
export function prepareRelease(files: Files, version: string, date: string): Map<string, string> {
  const prepared = new Map(files);
  for (const [file, place] of PLACES) {
    const text = prepared.get(file) ?? '';
    prepared.set(
      file,
      text.replace(place, (_all, before: string, _old: string, after: string) => before + version + after),
    );
  }
  const changelog = prepared.get('CHANGELOG.md') ?? '';
  prepared.set('CHANGELOG.md', changelog.replace(/^## Unreleased$/m, `## Unreleased\n\n## ${version} - ${date}`));
  return prepared;
}

if (import.meta.main) {
  const [command, given = ''] = process.argv.slice(2);
  const version = given.replace(/^v/, '');
  const url = (file: string): URL => new URL(`../${file}`, import.meta.url);
  const read = async (file: string) => [file, await readFile(url(file), 'utf8')] as const;
  let files: Files = new Map(await Promise.all(RELEASE_FILES.map(read)));
  if (command === 'prepare' && VERSION.test(version)) {
    files = prepareRelease(files, version, new Date().toISOString().slice(0, 10));
    for (const [file, text] of files) await writeFile(url(file), text);
  } else if (command === 'notes') {
    process.stdout.write(notesOf(files.get('CHANGELOG.md') ?? '', version) ?? '');
  } else if (command !== 'check') {
    process.stderr.write('usage: release.ts prepare X.Y.Z | check vX.Y.Z | notes vX.Y.Z\n');
    process.exit(2);
  }
  const faults = command === 'notes' ? [] : releaseFaults(files, version);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
