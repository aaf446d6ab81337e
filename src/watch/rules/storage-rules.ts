/** When queues, quarantine and alerts need attention. */
import { JOBS } from '../../jobs.ts';
import { reasons } from '../../pipeline/dataset/run-report.ts';
import type { Facts, LeftoverFacts, QueueFacts, WatchedRun } from './facts.ts';
import type { Finding } from '../../findings.ts';
import { ageText, isOlder } from './limits.ts';

/** SQS keeps done messages for four days. */
const MAX_QUEUE_AGE_HOURS = 72;
const DRAINING_JOBS: readonly string[] = [JOBS.dailyAnalysis.name, JOBS.continuousAggregation.name];

export function storageFindings(facts: Facts): Finding[] {
  return [
    ...facts.queues.flatMap((queue) => deadLetters(queue, facts.at)),
    ...('known' in facts.runs ? undrained(facts.queues, facts.runs.known.runs, facts.at) : []),
    ...('known' in facts.leftovers ? leftovers(facts.leftovers.known, facts.at) : []),
  ];
}

function deadLetters({ queue, role, depth, oldestAt }: QueueFacts, now: string): Finding[] {
  if (role !== 'dead letters' || 'unknown' in depth) return [];
  const { visible, inFlight, delayed } = depth.known;
  const messages = visible + inFlight + delayed;
  if (messages === 0) return [];
  const age = oldestAt === null ? '' : `, the oldest sent ${ageText(oldestAt, now)} ago`;
  return [
    {
      severity: 'error',
      where: `dead letters in ${queue}`,
      what: `${messages} ${messages === 1 ? 'message that was' : 'messages that were'} received again and again but never finished${age}`,
      action: `Find out why workers could not finish them, fix it, then move them back ("aws sqs start-message-move-task") or purge ${queue}.`,
    },
  ];
}

/** SQS shows the age of a message only by handing it out, so the end of the last draining run is used instead. */
function undrained(queues: readonly QueueFacts[], runs: readonly WatchedRun[], now: string): Finding[] {
  const queue = queues.find(({ role }) => role === 'done');
  if (queue === undefined || 'unknown' in queue.depth || queue.depth.known.visible === 0) return [];
  const drains = runs.filter(({ job }) => DRAINING_JOBS.includes(job));
  if (drains.some(({ running }) => running !== null)) return [];
  const last = drains.reduce((latest, { endedAt }) => (endedAt !== null && endedAt > latest ? endedAt : latest), '');
  if (last === '' || !isOlder(last, now, MAX_QUEUE_AGE_HOURS)) return [];
  return [
    {
      severity: 'error',
      where: `done queue ${queue.queue}`,
      what: `${queue.depth.known.visible} messages, and no run has drained it for ${ageText(last, now)}; SQS drops them after 4 days`,
      action: 'Drain it with "telemetry run-day" or "telemetry aggregate --detach".',
    },
  ];
}

function leftovers({ quarantine, undelivered }: LeftoverFacts, now: string): Finding[] {
  const findings: Finding[] = [];
  if (quarantine.recent > 0) {
    findings.push({
      severity: 'error',
      where: 'quarantine',
      what: `${quarantine.recent} entries in the last 24 h (of those read: ${reasons(quarantine.reasons) || 'none'})`,
      action:
        'See them with "telemetry quarantine list"; send back what may count with "telemetry quarantine release" once the cause is fixed, and say of the others why they are no problem with "telemetry quarantine acknowledge".',
    });
  }
  if (undelivered.count > 0) {
    const since = undelivered.oldest === null ? '' : `, the oldest ${ageText(undelivered.oldest, now)} ago`;
    findings.push({
      severity: 'error',
      where: 'undelivered alerts',
      what: `${undelivered.count}${undelivered.more ? ' or more' : ''} did not reach everybody${since}: ${undelivered.subjects.join('; ')}`,
      action:
        'Fix the channel ("telemetry setup --send-test-alert" tries each), then delete the objects below state/alerts/undelivered/.',
    });
  }
  return findings;
}
