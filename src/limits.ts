/** Limits for data that others wrote. Not settings: no deployment needs other values. */
const MIB = 1 << 20;

/** Of the rows of one key in memory, per thread, before they are written to disk. */
const maxTableBytes = 160 * MIB;

/** Of a submission file. */
export const SUBMISSION_LIMITS = {
  /** A file that decodes to more is quarantined. */
  maxDecodedBytes: 8192 * MIB,
  /** The same for decoded bytes per stored byte, from 64 MiB on. */
  maxRatio: 500,
  /** LZMA's default preset needs 9 MiB, its highest 65. */
  maxDecoderBytes: 128 * MIB,
  /** Real lines have 60 kB; a longer one than this is left out. It is held whole, twice, and what is in it as well. */
  maxLineBytes: 4 * MIB,
  /** Of the sums of submissions in memory, per thread, before they are written to disk. */
  maxTableBytes: 48 * MIB,
} as const;

/** Of a merge of results. */
export const MERGE_LIMITS = {
  /** A result with a longer line is refused. */
  maxLineBytes: 16 * MIB,
  maxTableBytes,
} as const;
