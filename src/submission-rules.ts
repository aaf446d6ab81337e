import type { Config } from './config.ts';
import { DEFAULT_RULES, type SubmissionRules } from './pipeline/submissions/aggregator.ts';

/** What counts in a submission. */
export function submissionRules(config: Config): SubmissionRules {
  return {
    linuxVersion: config.TELEMETRY_LINUX_VERSION,
    fallbackRevision: config.TELEMETRY_FALLBACK_REVISION ?? null,
    strictBuildId: config.TELEMETRY_STRICT_BUILD_ID,
    maxHistogramLength: DEFAULT_RULES.maxHistogramLength,
  };
}
