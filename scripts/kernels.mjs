/** Compiles the kernels: AssemblyScript in src/kernels/merge → dist/kernels/merge.wasm. Alone: `npm run kernels`. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = join('src', 'kernels', 'merge');
const MODULE = join('dist', 'kernels', 'merge.wasm');
const STAMP = `${MODULE}.sources`;
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--enable', 'bulk-memory'];

/** Compiles when the module is missing, or made of other sources, options or another compiler. */
export async function ensureKernels(root, say) {
  // The launcher is tried on projects that have nothing else.
  if (!existsSync(join(root, SOURCES))) return;
  const wanted = fingerprint(root);
  const stamp = join(root, STAMP);
  if (existsSync(join(root, MODULE)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(dirname(stamp), { recursive: true });
  let binary;
  const { error, stderr } = await asc.main(
    [`${SOURCES.replaceAll('\\', '/')}/index.ts`, '--baseDir', root, '--outFile', 'merge.wasm', ...OPTIONS],
    { writeFile: (_name, contents) => (binary = contents) },
  );
  if (error !== null || binary === undefined)
    throw new Error(`The kernels do not compile: ${error?.message ?? 'no output'}\n${stderr.toString()}`);
  // Under another name first: another start may be reading, or compiling, at the same time.
  const temporary = join(root, `${MODULE}.${process.pid}`);
  writeFileSync(temporary, binary);
  renameSync(temporary, join(root, MODULE));
  writeFileSync(stamp, wanted);
  say?.(`kernels compiled: ${MODULE}`);
}

function fingerprint(root) {
  const hash = createHash('sha256').update(OPTIONS.join(' '));
  for (const name of readdirSync(join(root, SOURCES)).sort())
    hash.update(`\n${name}\n`).update(readFileSync(join(root, SOURCES, name)));
  const { version } = createRequire(join(root, 'package.json'))('assemblyscript/package.json');
  return `${hash.update(version).digest('hex')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await ensureKernels(dirname(dirname(fileURLToPath(import.meta.url))), (line) => process.stderr.write(`${line}\n`));
