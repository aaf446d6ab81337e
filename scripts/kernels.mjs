/** Compiles the kernels: AssemblyScript in src/kernels/NAME → dist/kernels/NAME.wasm. Alone: `npm run kernels`. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Each may use the sources of those before it. */
const KERNELS = ['merge', 'aggregate', 'render', 'lzma'];
const SOURCES = join('src', 'kernels');
const MODULES = join('dist', 'kernels');
const STAMP = join(MODULES, 'sources');
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--enable', 'bulk-memory'];

/** Compiles when the module is missing, or made of other sources, options or another compiler. */
export async function ensureKernels(root, say) {
  // The launcher is tried on projects that have nothing else.
  if (!existsSync(join(root, SOURCES))) return;
  const wanted = fingerprint(root);
  const stamp = join(root, STAMP);
  const areThere = KERNELS.every((name) => existsSync(moduleOf(root, name)));
  if (areThere && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const { default: asc } = await import('assemblyscript/asc');
  mkdirSync(dirname(stamp), { recursive: true });
  const binaries = [];
  for (const name of KERNELS) binaries.push(await compile(asc, root, name));
  // All of them or none: they are loaded together.
  for (const [index, name] of KERNELS.entries()) store(moduleOf(root, name), binaries[index]);
  writeFileSync(stamp, wanted);
  say?.(`kernels compiled: ${MODULES}`);
}

async function compile(asc, root, name) {
  let binary;
  const { error, stderr } = await asc.main(
    [`${SOURCES.replaceAll('\\', '/')}/${name}/index.ts`, '--baseDir', root, '--outFile', `${name}.wasm`, ...OPTIONS],
    { writeFile: (_name, contents) => (binary = contents) },
  );
  if (error !== null || binary === undefined)
    throw new Error(`The kernel ${name} does not compile: ${error?.message ?? 'no output'}\n${stderr.toString()}`);
  return binary;
}

/** Under another name first: another start may be reading, or compiling, at the same time. */
function store(path, binary) {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, binary);
  renameSync(temporary, path);
}

function moduleOf(root, name) {
  return join(root, MODULES, `${name}.wasm`);
}

function fingerprint(root) {
  const hash = createHash('sha256').update(OPTIONS.join(' '));
  for (const kernel of KERNELS)
    for (const name of readdirSync(join(root, SOURCES, kernel)).sort())
      hash.update(`\n${kernel}/${name}\n`).update(readFileSync(join(root, SOURCES, kernel, name)));
  const { version } = createRequire(join(root, 'package.json'))('assemblyscript/package.json');
  return `${hash.update(version).digest('hex')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await ensureKernels(dirname(dirname(fileURLToPath(import.meta.url))), (line) => process.stderr.write(`${line}\n`));
