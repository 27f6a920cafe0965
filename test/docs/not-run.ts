/** Why a command of a document is not run by commands.test.ts. */
export interface NotRun {
  /** What it begins with. */
  readonly command: string;
  /** The documents in which it stands, if not in all. */
  readonly files?: readonly string[];
  readonly reason: string;
}

const CLUSTER = 'needs a Kubernetes cluster; npm run test:deploy checks chart and manifests against its schemas';
const DOCKER = 'needs a Docker engine; npm run test:container builds, composes up, reads and doctors';
const INTERNET = 'downloads from the internet; test/models/*.test.ts fetch from a server of their own';
const LABELLED = 'needs a labelled set; .ci/run runs its like where there is one';
const QUANTIZE = 'makes the embedded pack anew, which takes packages of its own and minutes';
const EVERYTHING = 'runs everything, this test included; .ci/run does it';
const SERVER = 'serves until it is stopped; this test runs against the server that it starts';
const RELEASE = 'writes a version; test/deploy/supply-chain.test.ts prepares a release in memory';

const MARKS = 'makes the weights of marks anew, which takes fonts and minutes';
const REDIS = 'needs Redis; npm run test:jobs gives jobs to workers on a real one';

/** Everything else is run. A line that no command begins with any more is a failure, too. */
export const NOT_RUN: readonly NotRun[] = [
  { command: 'docker ', reason: DOCKER },
  { command: 'helm ', reason: CLUSTER },
  { command: 'kubectl ', reason: CLUSTER },
  { command: 'cosign verify ', reason: 'needs a published image' },
  { command: 'npm ci && npm start', reason: SERVER },
  { command: 'npm cit', reason: EVERYTHING },
  { command: 'npm ci', files: ['CONTRIBUTING.md'], reason: EVERYTHING },
  { command: 'npm run check', reason: EVERYTHING },
  { command: 'bash .ci/run', reason: EVERYTHING },
  { command: 'npm run release -- prepare', reason: RELEASE },
  { command: 'OCR_MODEL_PACK=pp-ocrv6-small npm start', reason: SERVER },
  { command: 'npm run models -- pp-ocrv6-small', reason: INTERNET },
  {
    command: `curl -s localhost:8080/general_ocr -H 'content-type: application/json' -d '{"url":"s3://pictures/sample.png"}'`,
    reason: 'needs the S3 server of the command before it; npm run test:s3 reads from a real one',
  },
  { command: 'OCR_REDIS_URL=', reason: REDIS },
  { command: 'redis-server ', reason: REDIS },
  { command: 'curl -s localhost:8080/v1/jobs', reason: REDIS },
  { command: 'npm run models -- list', files: ['models/README.md'], reason: 'is run where README.md has it' },
  { command: 'npm run models -- verify', reason: 'test/cli/models-command.test.ts runs it' },
  { command: 'npm run eval -- ', reason: LABELLED },
  { command: 'npm run stress -- ', reason: LABELLED },
  { command: 'npm run evaluate -- ', reason: LABELLED },
  { command: 'npm run bench -- ', reason: LABELLED },
  { command: 'RAPIDOCR_PYTHON=', reason: LABELLED },
  { command: 'mkdir -p out', files: ['bench/README.md'], reason: LABELLED },
  { command: 'python3 -m venv .venv-quantize', reason: QUANTIZE },
  { command: '.venv-quantize/', reason: QUANTIZE },
  { command: 'sudo apt-get install qemu-user', reason: QUANTIZE },
  { command: 'PYTHONPATH=', reason: QUANTIZE },
  { command: 'python3 models/marks/', reason: MARKS },
  { command: 'node scripts/mark-cells.ts', reason: MARKS },
  { command: 'npx prettier --write src/ocr/mark-weights.ts', reason: MARKS },
  { command: 'node scripts/performance-docs.ts', reason: 'needs the figures of npm run bench' },
  { command: 'npm run robustness -- NAME', reason: 'stands for many commands; .ci/run runs those that count' },
  { command: '(cd clients/typescript && npm ci', reason: 'installs packages; npm run test:clients runs it' },
  { command: 'npm install ./clients/typescript', reason: 'installs packages; npm run test:clients runs it' },
  { command: 'pip install ./clients/python', reason: 'installs packages; npm run test:clients runs it' },
];
