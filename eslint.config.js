import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Each heavy package has one owner; everybody else goes through it (docs/architecture.md). */
const OWNERS = {
  'onnxruntime-node': ['src/ocr/session.ts'],
  undici: ['src/source/pinned-request.ts', 'src/source/address-guard.ts', 'src/source/http-source.ts'],
  '@aws-sdk/client-s3': ['src/source/s3-client.ts'],
  bullmq: ['src/jobs/queue.ts'],
  ioredis: ['src/jobs/redis.ts'],
  sharp: [
    'src/ocr/decode-image.ts',
    'src/ocr/decode-file.ts',
    'src/ocr/encode-picture.ts',
    'src/cli/overlay.ts',
    'bench/stress.ts',
  ],
  '@hyzyla/pdfium': ['src/ocr/pdfium.ts'],
  'prom-client': ['src/metrics.ts', 'src/job-metrics.ts'],
  '@opentelemetry/sdk-trace': ['src/tracing.ts'],
};

/** folder -> what it may not import, with the reason. The picture is in docs/architecture.md. */
const FOLDER_RULES = {
  'src/ocr/**': [
    { regex: '^fastify|^@fastify/|^pino', message: 'src/ocr is a library: no HTTP and no logger.' },
    { regex: '/(config|metrics|app|server|cli)\\.ts$', message: 'src/ocr receives values, it reads no configuration.' },
    { regex: '\\.\\./(engine|formats|http|source)/', message: 'src/ocr is below engine, formats, http and source.' },
  ],
  'src/engine/**': [
    { regex: '^fastify|^@fastify/', message: 'src/engine knows no HTTP.' },
    { regex: '/(config|metrics|app|server|cli)\\.ts$', message: 'src/engine receives values.' },
    { regex: '\\.\\./(http|source)/', message: 'src/engine is below http and source.' },
  ],
  'src/source/**': [
    { regex: '^fastify|^@fastify/', message: 'src/source knows no HTTP server.' },
    { regex: '/(config|metrics|app|server|cli)\\.ts$', message: 'src/source receives values.' },
    { regex: '\\.\\./(http|engine|ocr)/', message: 'src/source only fetches bytes.' },
  ],
  'src/formats/**': [
    { regex: '^fastify|^@fastify/|^pino', message: 'src/formats turns values into files: no HTTP and no logger.' },
    { regex: '/(config|metrics|app|server|cli)\\.ts$', message: 'src/formats receives values.' },
    { regex: '\\.\\./(http|engine|source)/', message: 'src/formats is shared by HTTP and the command line.' },
  ],
  'src/jobs/**': [
    { regex: '^fastify|^@fastify/', message: 'src/jobs knows no HTTP server.' },
    { regex: '/(config|metrics|app|server|cli|worker)\\.ts$', message: 'src/jobs receives values.' },
    { regex: '\\.\\./http/', message: 'src/jobs is below http.' },
  ],
  'src/http/**': [{ regex: '/(app|server|cli)\\.ts$', message: 'Hops go down, never up.' }],
  'src/cli/**': [
    { regex: '^fastify|^@fastify/', message: 'The command line has no HTTP server but src/server.ts.' },
    { regex: '/(app|server|cli)\\.ts$', message: 'src/cli receives what it needs of them.' },
  ],
};

const restricted = (files, patterns) => {
  const heavy = Object.keys(OWNERS).map((name) => ({
    name,
    message: `${name} is owned by ${OWNERS[name].join(', ')}.`,
  }));
  return { files, rules: { 'no-restricted-imports': ['error', { paths: heavy, patterns }] } };
};

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'coverage/',
      'out/',
      '.tap/',
      'node_modules/',
      '.venv*/',
      'clients/*/dist/',
      'clients/typescript/src/api.ts',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' } },
  },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', 'docker/**/*.ts', 'clients/**/*.ts'],
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      // `as` and `!` are for the edges of typed arrays and libraries; `any` is for nobody.
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  restricted(['src/**/*.ts'], []),
  ...Object.entries(FOLDER_RULES).map(([folder, patterns]) => restricted([folder], patterns)),
  // The owners themselves: the same folder rules without the ban on the package they own.
  ...Object.values(OWNERS)
    .flat()
    .map((file) => {
      const folder = Object.keys(FOLDER_RULES).find((f) => file.startsWith(f.replace('**', '')));
      const own = Object.keys(OWNERS).filter((name) => OWNERS[name].includes(file));
      const paths = Object.keys(OWNERS)
        .filter((name) => !own.includes(name))
        .map((name) => ({ name, message: `${name} is owned by ${OWNERS[name].join(', ')}.` }));
      return {
        files: [file],
        rules: { 'no-restricted-imports': ['error', { paths, patterns: folder ? FOLDER_RULES[folder] : [] }] },
      };
    }),
  {
    files: ['src/**/*.ts'],
    ignores: ['src/server.ts', 'src/worker.ts', 'src/cli.ts', 'src/engine/engine-process.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'The environment is read in server.ts and cli.ts only.' },
      ],
    },
  },
  { files: ['src/cli.ts', 'bench/**'], rules: { 'no-console': 'off' } },
);
