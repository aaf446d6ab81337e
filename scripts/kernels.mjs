/** Compiles the kernels: AssemblyScript in src/kernels/merge → dist/kernels/merge.wasm. Alone: `npm run kernels`. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = join('src', 'kernels', 'merge');
const MODULE = join('dist', 'kernels', 'merge.wasm');
const STAMP = `${MODULE}.sources`;
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--enable', 'bulk-memory'];

/** Compiles when the module is missing, or made of other sources, options or another compiler. */
export async function ensureKernels(root, say) {
  const wanted = fingerprint(root);
  const stamp = join(root, STAMP);
  if (existsSync(join(root, MODULE)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(dirname(stamp), { recursive: true });
  // Under another name first: another start may be reading, or compiling, at the same time.
  const temporary = `${MODULE}.${process.pid}`;
  try {
    const { error, stderr } = await asc.main(
      [join(SOURCES, 'index.ts'), '--outFile', temporary, ...OPTIONS].map((part) => part.replaceAll('\\', '/')),
      { baseDir: root },
    );
    if (error !== null) throw new Error(`The kernels do not compile: ${error.message}\n${stderr.toString()}`);
    renameSync(join(root, temporary), join(root, MODULE));
    writeFileSync(stamp, wanted);
  } finally {
    rmSync(join(root, temporary), { force: true });
  }
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
