/**
 * `adopt`: what the original published becomes the first commit of this data set. It runs in this process and not as a
 * workflow: it is done once, before the first run, by someone who watches; it needs no Temporal, and after an
 * interruption it continues where it was interrupted.
 */
import { setInterval } from 'node:timers';
import { adoptSpace } from '../adoption/adopt.ts';
import { type AdoptionProgress, AdoptionRefused, type AdoptionResult } from '../adoption/adoption.ts';
import { type OriginalSpace, spaceInBucket, spaceInFolder } from '../adoption/original-space.ts';
import { s3Connection } from '../aws/connection.ts';
import { createObjectStores } from '../aws/s3.ts';
import { connectPorts } from '../composition.ts';
import type { Config } from '../config.ts';
import { type AdoptionFault, isKeptOut } from '../pipeline/dataset/adoption/faults.ts';
import { CommandError } from './command-error.ts';
import { interruptible } from './interruptible.ts';
import { print, showStatus, table } from './terminal.ts';

export interface AdoptOptions {
  /** `s3://bucket/prefix/`, or a folder of this machine; default: the published space. */
  readonly from?: string | undefined;
  readonly leaveOut?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const LOOK_EVERY_MS = 500;

export async function adopt(config: Config, options: AdoptOptions): Promise<void> {
  const { ports, close } = connectPorts(config);
  const stores = createObjectStores(s3Connection(config));
  const { from } = options;
  const original =
    from === undefined
      ? spaceInBucket(ports.published, ports.settings.publishedPrefix)
      : namedSpace(from, (bucket) => stores.bucket(bucket));
  const progress: AdoptionProgress = { step: 'starting', channelVersions: 0, ready: 0, files: 0 };
  const show = (): void => {
    const { step, channelVersions, ready, files } = progress;
    const counts = channelVersions === 0 ? '' : ` (${ready} of ${channelVersions} channel/versions, ${files} files)`;
    showStatus(`adopt: ${step}${step === 'reading folders' ? counts : ''}`);
  };
  const timer = setInterval(show, LOOK_EVERY_MS);
  try {
    const input = {
      original,
      copy: from !== undefined,
      dryRun: options.dryRun === true,
      leaveOut: options.leaveOut ?? [],
    };
    const result = await interruptible('interrupted; run adopt again to continue', (signal) =>
      adoptSpace(ports, input, progress, signal),
    );
    print(options.json === true ? JSON.stringify(result) : describeAdoption(result));
  } catch (error) {
    if (error instanceof AdoptionRefused) throw new CommandError(error.message, { cause: error, exitCode: 2 });
    throw error;
  } finally {
    clearInterval(timer);
    stores.close();
    await close();
  }
}

type Bucket = Parameters<typeof spaceInBucket>[0];

function namedSpace(from: string, bucketOf: (name: string) => Bucket): OriginalSpace {
  if (!from.startsWith('s3://')) return spaceInFolder(from.replace(/(?<=.)\/+$/, ''));
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(from) ?? [];
  if (bucket === undefined)
    throw new CommandError(`--from ${from}: expected s3://bucket/prefix/ or a folder`, { exitCode: 2 });
  return spaceInBucket(bucketOf(bucket), prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`);
}

function describeAdoption(result: AdoptionResult): string {
  const { outcome, original, entry, seq, versions, channelVersions, leftOut, files, badLines } = result;
  if (outcome === 'already-adopted')
    return table([
      ['outcome', `already adopted; the data set is at commit ${seq ?? '?'}`],
      ['ledger entry', entry],
      ['versions.json', versions],
    ]);
  const faults = channelVersions.flatMap((each) =>
    each.faults.map((fault) => ({ ...fault, channelVersion: each.channelVersion })),
  );
  return table([
    ['outcome', outcome === 'planned' ? 'planned: nothing was written' : `adopted (commit ${seq ?? '?'})`],
    ['original', original],
    ['ledger entry', entry],
    [
      'files',
      `${files.processed} processed, ${files.missing} missing${badLines === 0 ? '' : `, ${badLines} bad lines`}`,
    ],
    ...channelVersions.map(({ channelVersion, folder, measures, rows }) => [
      channelVersion,
      `${measures} measures, ${rows} rows in ${folder}`,
    ]),
    ...describeFaults('kept out', faults.filter(isKeptOut)),
    ...describeFaults(
      'noted',
      faults.filter((fault) => !isKeptOut(fault)),
    ),
    ...(leftOut.length === 0 ? [] : [['left out', leftOut.join(', ')]]),
    ['versions.json', versions],
  ]);
}

const NAMED_FAULTS = 5;

/** A row for each reason: how often, and the first few things. */
function describeFaults(title: string, faults: readonly (AdoptionFault & { channelVersion: string })[]): string[][] {
  if (faults.length === 0) return [[title, 'nothing']];
  return [...Map.groupBy(faults, ({ reason }) => reason)].map(([reason, list]) => {
    const named = list.slice(0, NAMED_FAULTS).map(({ what, channelVersion }) => `${what} of ${channelVersion}`);
    const count = list.reduce((sum, fault) => sum + fault.count, 0);
    return [title, `${reason} ${count}: ${named.join(', ')}${list.length > NAMED_FAULTS ? ', …' : ''}`];
  });
}
