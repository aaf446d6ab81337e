/** Whether node_modules holds what package-lock.json says, and `npm ci` when it does not. */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeInstallLock } from './install-lock.mjs';
import { run } from './run.mjs';

/**
 * Installs when node_modules is absent or belongs to another package-lock.json.
 * @returns whether this launch installed
 */
export async function ensureInstalled(root, say) {
  return !isInstalled(root) && (await installUnless(() => isInstalled(root), root, say));
}

/**
 * Installs, one launch at a time: two `npm ci` at once would destroy each other's work. The condition is asked again when
 * it is this launch's turn, since the one before may have done what was missing.
 * @returns whether this launch installed
 */
export async function installUnless(isDone, root, say) {
  const modules = join(root, 'node_modules');
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new Error(
      `node_modules is a link to ${realpathSync(modules)}, whose packages do not fit ${join(root, 'package-lock.json')}; run \`npm ci\` there, or remove the link`,
    );
  }
  const lock = await takeInstallLock(join(root, '.local', 'install-lock'), say);
  try {
    if (isDone()) return false;
    say(
      existsSync(modules)
        ? 'package-lock.json has changed: installing its packages (npm ci)'
        : 'first start: installing the packages (npm ci)',
    );
    // npm's output goes to standard error, so that a command's own output stays clean.
    const code = await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    });
    if (code !== 0) throw new Error(`npm ci failed with exit code ${code}; its message is above. Nothing was started.`);
    writeFileSync(join(modules, STAMP), fingerprint(root));
    return true;
  } finally {
    lock.release();
  }
}

const STAMP = '.telemetry-lock';

function isInstalled(root) {
  const modules = join(root, 'node_modules');
  if (!existsSync(modules)) return false;
  const stamp = join(modules, STAMP);
  const wanted = fingerprint(root);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true;
  if (!npmAgrees(root, modules)) return false;
  // Somebody ran `npm ci` by hand. A linked folder belongs to another checkout and is left as it is.
  if (!lstatSync(modules).isSymbolicLink()) writeFileSync(stamp, wanted);
  return true;
}

/** The lock file's hash and the system: packages with native parts do not move between systems. */
function fingerprint(root) {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

/** Compares with npm's own record of what it installed; optional packages may be absent. */
function npmAgrees(root, modules) {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, entry]) =>
        path === '' || entry.optional || entry.devOptional || installed[path]?.version === entry.version,
    );
  } catch {
    return false;
  }
}
