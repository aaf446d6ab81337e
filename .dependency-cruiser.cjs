/** The dependency rules of the house: rules are pure, activities are thin, only the composition roots wire things. */
const pure = '^src/(pipeline|histograms)/';
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pipeline-is-pure',
      severity: 'error',
      from: { path: '^src/pipeline/' },
      to: { pathNot: ['^src/(pipeline|histograms)/', 'node_modules/zod/'] },
    },
    {
      name: 'histograms-are-pure',
      severity: 'error',
      from: { path: '^src/histograms/' },
      to: { pathNot: '^src/(histograms/|pipeline/nesting\\.ts)' },
    },
    {
      name: 'workflows-import-pure-code-only',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: {
        pathNot: [
          pure,
          '^src/(workflows/|state/keys\\.ts|jobs\\.ts|failures\\.ts|error-classes\\.ts|names\\.ts)',
          'node_modules/@temporalio/(workflow|common)/',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'threads-know-no-service',
      severity: 'error',
      from: { path: '^src/threads/' },
      to: { path: '^src/(?!threads/|kernels/|pipeline/|histograms/)|node_modules/(@temporalio|@aws-sdk)' },
    },
    {
      // Compiled code and what calls it: bytes in, bytes out, by the rules of the pipeline.
      name: 'kernels-know-rules-only',
      severity: 'error',
      from: { path: '^src/kernels/' },
      to: { path: '^src/(?!kernels/|pipeline/)' },
    },
    {
      // Its main is a composition root; the rest serves requests and the publish stage alike.
      name: 'histogram-server-knows-definitions-only',
      severity: 'error',
      from: { path: '^src/histogram-server/', pathNot: '^src/histogram-server/main\\.ts' },
      to: { path: '^src/(?!histogram-server/|histograms/|deadline\\.ts)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-roots-wire-the-histogram-server',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(histogram-server/|composition\\.ts|program\\.ts)' },
      to: { path: '^src/histogram-server/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'activities-declare-ports',
      severity: 'error',
      from: { path: '^src/activities/' },
      to: {
        path: '^src/(aws|analysis-worker|workflows)/|^src/(worker|cli|program|config)\\.ts',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      // The room of everything stored: it knows the rules and the ports, and nobody who uses it.
      name: 'state-knows-rules-and-ports',
      severity: 'error',
      from: { path: '^src/state/' },
      to: {
        path: '^src/(?!state/|pipeline/|threads/|ports\\.ts|failures\\.ts|error-classes\\.ts|failpoints\\.ts|work-folder\\.ts)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'the-product-knows-no-local-tools',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^local/' },
    },
    {
      // Shared by the command, the embedded stack and monitoring: no output, no settings, services by ports only.
      name: 'setup-declares-ports',
      severity: 'error',
      from: { path: '^src/setup/' },
      to: {
        path: '^src/(?!setup/|pipeline/|state/|threads/|findings\\.ts|metrics\\.ts|ports\\.ts|names\\.ts|jobs\\.ts|schedules\\.ts|deadline\\.ts)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      // Looks at a deployment for commands and monitors: no output, no settings, services by ports only.
      name: 'watch-declares-ports',
      severity: 'error',
      from: { path: '^src/watch/' },
      to: {
        path: '^src/(?!watch/|pipeline/|setup/|state/|findings\\.ts|ports\\.ts|names\\.ts|jobs\\.ts|failures\\.ts|error-classes\\.ts|schedules\\.ts|deadline\\.ts)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      // Writes files for the command and for the demo: no output, no settings, the store by its port only.
      name: 'export-declares-ports',
      severity: 'error',
      from: { path: '^src/export/' },
      to: {
        path: '^src/(?!export/|pipeline/|state/|threads/|ports\\.ts|failures\\.ts|work-folder\\.ts)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      // Reads both buckets for the command and for tests: no output, no settings, stores and threads by ports only.
      name: 'verify-declares-ports',
      severity: 'error',
      from: { path: '^src/verify/' },
      to: {
        path: '^src/(?!verify/|pipeline/|state/|threads/|ports\\.ts|file-body\\.ts|failures\\.ts|error-classes\\.ts|work-folder\\.ts)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      // Documented on its own, and used in pages, workers and Node.js alike.
      name: 'website-client-depends-on-nothing',
      severity: 'error',
      from: { path: '^website/client/' },
      to: { pathNot: '^website/client/' },
    },
    {
      name: 'website-and-product-know-published-files-only',
      severity: 'error',
      from: { path: '^website/' },
      to: { path: '^(src|local)/' },
    },
    {
      name: 'the-product-knows-no-page',
      severity: 'error',
      from: { path: '^(src|local)/' },
      to: { path: '^website/' },
    },
    {
      name: 'only-aws-imports-the-sdk',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/aws/' },
      to: { path: 'node_modules/@aws-sdk', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-roots-wire-aws',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: '^src/(aws/|analysis-worker/|commands/|composition\\.ts)',
      },
      to: { path: '^src/aws/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'not-to-dev-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    // AssemblyScript.
    exclude: { path: '^src/kernels/(merge|aggregate|lzma)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
