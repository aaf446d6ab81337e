import tseslint from 'typescript-eslint';

// node:test returns promises that the runner itself awaits.
const runnerCalls = ['describe', 'it', 'test', 'suite'].map((name) => ({
  from: 'package',
  package: 'node:test',
  name,
}));

export default tseslint.config(
  // AssemblyScript has its own types, which the rules on types do not know.
  { ignores: ['**/*.mjs', '**/*.js', '**/*.cjs', '.local/**', 'src/kernels/{merge,aggregate,render,lzma}/**'] },
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
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      // What a workflow may import is a dependency rule; these two need no import.
      'no-restricted-globals': ['error', 'fetch', 'process'],
      'no-restricted-syntax': [
        'error',
        {
          selector: "ThrowStatement > NewExpression[callee.name='Error']",
          message: 'A raw Error fails the workflow task, which is tried again for ever: throw an ApplicationFailure.',
        },
      ],
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
