/**
 * Prints the software bill of materials (CycloneDX 1.5) of what the image holds: the packages of package-lock.json without the
 * development ones, by npm, and the embedded models, which npm does not know: `npm run --silent sbom > sbom.cdx.json`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import packageJson from '../package.json' with { type: 'json' };
import type { Manifest } from '../src/models/manifest.ts';

interface Component {
  readonly [property: string]: unknown;
}
interface Sbom {
  readonly metadata: { component: Component };
  components: Component[];
}

const root = new URL('../', import.meta.url);

/** The files of the embedded packs, as CycloneDX calls them: machine-learning models, and data beside them. */
function modelComponents(): Component[] {
  const manifest = JSON.parse(readFileSync(new URL('models/manifest.json', root), 'utf8')) as Manifest;
  return manifest.packs
    .filter(({ embedded }) => embedded)
    .flatMap(({ name, licence, files }) =>
      [files.detector, files.recognizer, files.dictionary].map(({ file, sha256 = '' }) => ({
        type: file.endsWith('.onnx') ? 'machine-learning-model' : 'data',
        'bom-ref': `model-pack/${name}/${file}`,
        name: `${name}/${file}`,
        version: packageJson.version,
        hashes: sha256 === '' ? [] : [{ alg: 'SHA-256', content: sha256 }],
        licenses: [{ license: { id: licence } }],
      })),
    );
}

const npm = [
  'sbom',
  '--sbom-format',
  'cyclonedx',
  '--sbom-type',
  'application',
  '--omit',
  'dev',
  '--package-lock-only',
];
const sbom = JSON.parse(
  execFileSync('npm', npm, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
) as Sbom;
// npm gives the project the name of the folder that it happens to lie in.
sbom.metadata.component = { ...sbom.metadata.component, name: packageJson.name };
sbom.components.push(...modelComponents());
process.stdout.write(`${JSON.stringify(sbom, null, 2)}\n`);
