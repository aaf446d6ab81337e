/**
 * What a first start would otherwise do: bundles the workflows, and compiles what the demo's processes import. Run once,
 * after the packages are installed.
 */
import { keepCompiledCode } from '../src/compile-cache.ts';

keepCompiledCode();
await Promise.all([
  import('../src/program.ts'),
  import('../src/worker.ts'),
  import('../src/analysis-worker/main.ts'),
  import('./demo.ts'),
]);
const { workflowCode } = await import('../src/workflow-bundle.ts');
await workflowCode();
