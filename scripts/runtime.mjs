/** Which Node.js runs the project: TypeScript without a build needs 22.18 or newer. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installUnless } from './installation.mjs';

const OLDEST = [22, 18];

/**
 * The running Node.js when it is new enough, otherwise the one that npm installed beside the packages. Resolves with
 * its path. An install made without optional packages lacks it, so that case is repaired once.
 */
export async function findRuntime(root, say) {
  if (isNewEnough(process.version)) return process.execPath;
  const packaged = join(root, 'node_modules', '.bin', 'node');
  if (!isUsable(packaged)) {
    say(`Node.js ${process.version} is too old and ${packaged} is ${existsSync(packaged) ? 'broken' : 'missing'}`);
    await installUnless(() => isUsable(packaged), root, say);
  }
  if (isUsable(packaged)) return packaged;
  throw new Error(
    `Node.js ${OLDEST.join('.')} or newer is needed, this is ${process.version}, and the package that carries Node.js 24 ` +
      `is not there for ${process.platform}-${process.arch}. Install Node.js 24 and start again.`,
  );
}

/** The file may be for another system, so it has to print its version. */
function isUsable(program) {
  try {
    const answer = execFileSync(program, ['--version'], {
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return isNewEnough(answer.trim());
  } catch {
    return false;
  }
}

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
