/** Limits for data that others wrote. Not settings: no deployment needs other values. */
const MIB = 1 << 20;

/** A longer line of a submission file is left out, a result with one is refused. */
const maxLineBytes = 16 * MIB;

/** Of a table of sums in memory, per thread, before it is written to disk. */
const maxTableBytes = 160 * MIB;

/** Of a submission file. */
export const SUBMISSION_LIMITS = {
  /** A file that decodes to more is quarantined. */
  maxDecodedBytes: 8192 * MIB,
  /** The same for decoded bytes per stored byte, from 64 MiB on. */
  maxRatio: 500,
  /** LZMA's default preset needs 9 MiB, its highest 65. */
  maxDecoderBytes: 128 * MIB,
  maxLineBytes,
  maxTableBytes,
} as const;

/** Of a merge of results. */
export const MERGE_LIMITS = {
  maxLineBytes,
  maxTableBytes,
} as const;
