import tseslint from 'typescript-eslint';
import temporal from 'eslint-plugin-temporal';

// node:test returns promises that the runner itself awaits.
const runnerCalls = ['describe', 'it', 'test', 'suite'].map((name) => ({
  from: 'package',
  package: 'node:test',
  name,
}));

export default tseslint.config(
  { ignores: ['**/*.mjs', '**/*.js', '**/*.cjs', '.local/**'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: runnerCalls }],
      '@typescript-eslint/require-await': 'off',
      // Taking members out of an object by naming them beside a rest is how they are left out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 12],
      'no-console': 'error',
    },
  },
  { files: ['src/workflows/**/*.ts'], ...temporal.configs.workflow },
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      // Takes every exported function for a workflow; ours that are workflows take one object.
      'temporal/workflow-prefer-single-object-args': 'off',
      // Run ids are no secrets.
      'temporal/workflow-uuid4-requires-security-comment': 'off',
      // Inputs carry the run or the name, under other member names than the rule knows.
      'temporal/workflow-require-idempotency-key-arg': 'off',
      // Waiting for update handlers has no sensible limit of its own: they end with their activities.
      'temporal/workflow-condition-timeout-style': 'off',
      // Does not see through `...activityOptions.drain`; that object `satisfies` ActivityOptions, and tests check the limits.
      'temporal/workflow-require-activity-timeouts': 'off',
      // Takes setHandler for a promise; @typescript-eslint/no-floating-promises knows the types.
      'temporal/workflow-no-floating-promises': 'off',
      // In workflows Date.now() is the history's time, so branching on it replays; the loop awaits between reads.
      'temporal/workflow-no-nondeterministic-control-flow': 'off',
      'temporal/workflow-no-date-now-tight-loop': 'off',
      // Wants `[]` spelled out, which no-unnecessary-type-arguments forbids.
      'temporal/workflow-require-explicit-payload-types': 'off',
    },
  },
  { files: ['src/activities/**/*.ts'], ...temporal.configs.activity },
  {
    files: ['src/activities/**/*.ts'],
    rules: {
      // Takes every exported function for an activity; the activities take one object.
      'temporal/activity-prefer-single-object-args': 'off',
      // Heartbeats come from the timer in heartbeating.ts, not from loops.
      'temporal/activity-heartbeat-in-long-loops': 'off',
    },
  },
  {
    // Tests poke at wrong types and absent values on purpose.
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      'max-lines': ['error', { max: 600, skipBlankLines: true, skipComments: true }],
    },
  },
);
