/** Just enough of the tar format to read the golden archives: regular files, and GNU's entries for long names. */

const BLOCK = 512;

/** Path → text of every regular file, in archive order. */
export function filesOfTar(archive: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const field = (from: number, length: number): string =>
      archive.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = parseInt(field(124, 12), 8) || 0;
    const start = at + BLOCK;
    const content = (): string => archive.toString('utf8', start, start + size);
    const type = field(156, 1);
    if (type === '0' || type === '') files.set(longName ?? field(0, 100), content());
    longName = type === 'L' ? content().replace(/\0.*$/s, '') : undefined;
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
