/**
 * The spot worker's protocol, with the duties of docs/formats/queues.md 2.7: one task, from message to done message.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import pino from 'pino';
import { compress } from '../../local/samples/containers.ts';
import { runTask, type TaskRunnerPorts } from '../../src/analysis-worker/task-runner.ts';
import { loadConfig } from '../../src/config.ts';
import { submissionRules } from '../../src/submission-rules.ts';
import { SUBMISSION_LIMITS } from '../../src/limits.ts';
import { decodeDoneMessage } from '../fakes/done-messages.ts';
import { encodeTaskMessage } from '../../src/pipeline/task-queue/task-message.ts';
import { CallTrace } from '../fakes/call-trace.ts';
import { runId } from '../fakes/day-run.ts';
import { eventually } from '../fakes/eventually.ts';
import { inProcessThreads } from '../fakes/in-process-threads.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { MemoryMessageQueues } from '../fakes/memory-message-queues.ts';
import { MemoryObjectStore } from '../fakes/memory-object-store.ts';

const KEYS = ['a', 'b'].map(
  (file) => `saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.${file}.lzma`,
);
const RECORD = 'id\t{"info":{"OS":"WINNT","version":"6.1","arch":"x86"},"histograms":{"FLAG":[1,0,0,0,-1,-1,0,0]}}\n';
const TASK = { id: `${runId(1)}/1`, files: KEYS, size: 20 };
const JOB = { name: 'dashboard', owner: 'ops@example.org', code: '', targetQueue: 'done' };
const RESULT = `output/${TASK.id}/result.txt`;

let work: string;
let trace: CallTrace;
let input: MemoryObjectStore;
let analysis: MemoryObjectStore;
let queues: MemoryMessageQueues;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'task-runner-'));
  trace = new CallTrace();
  input = new MemoryObjectStore('input', trace);
  analysis = new MemoryObjectStore('analysis', trace);
  queues = new MemoryMessageQueues(trace, new ManualClock('2013-10-30T13:31:00Z'));
});
afterEach(() => {
  mock.timers.reset();
  assert.deepEqual(readdirSync(work), [], 'no work folder is left behind');
  rmSync(work, { recursive: true });
});

function ports(settings: Partial<TaskRunnerPorts['settings']> = {}): TaskRunnerPorts {
  const config = loadConfig({});
  return {
    input,
    analysis,
    queues,
    threads: inProcessThreads(),
    logger: pino({ level: 'silent' }),
    presence: { during: (_task, run) => run() },
    settings: {
      rules: submissionRules(config),
      limits: SUBMISSION_LIMITS,
      workDirectory: work,
      processor: undefined,
      mayReportTo: (queue) => queue === 'done',
      ...settings,
    },
  };
}

async function store(texts: readonly (string | Buffer)[]): Promise<void> {
  for (const [index, text] of texts.entries()) {
    input.store(KEYS[index] ?? '', typeof text === 'string' ? await compress(text, 'lzma') : text);
  }
}

async function run(receiveCount = 1, settings: Partial<TaskRunnerPorts['settings']> = {}): Promise<void> {
  await queues.create('done', { visibilitySeconds: 300, delaySeconds: 0, retentionSeconds: 1000 });
  await runTask(encodeTaskMessage(TASK, JOB), receiveCount, ports(settings));
}

function reported() {
  const [body, ...more] = queues.drain('done');
  assert.deepEqual(more, [], 'one done message');
  return decodeDoneMessage(body ?? '');
}

describe('an analysis task', () => {
  it('uploads its result before it reports', async () => {
    await store([RECORD + RECORD, RECORD]);
    await run();
    const message = reported();
    assert.deepEqual([message.targetPrefix, message.records], [`output/${TASK.id}/`, 3]);
    const line = analysis.text(RESULT);
    assert.match(
      line,
      /^nightly\/28\/FLAG\/by-build-date\t\{"20131029\/saved_session\/Firefox\/WINNT\/6\.1\/x86":\{"values":\[3,/,
    );
    const order = trace.calls
      .map(({ method }) => method)
      .filter((method) => method === 'createOnce' || method === 'send');
    assert.deepEqual(order, ['createOnce', 'send']);
  });

  it('names the measures whose histograms were left out', async () => {
    const bad = (name: string): string => RECORD.replace('"FLAG"', `"${name}":[1],"FLAG"`);
    await store([bad('B') + bad('A') + bad('B') + bad('not a name'), bad('B') + RECORD]);
    await run();
    const { records, skipped, badHistograms } = reported();
    assert.equal(records, 6);
    assert.deepEqual(skipped, { bad_histogram: 4, bad_measure_name: 1 });
    assert.deepEqual(Object.entries(badHistograms), [
      ['B', 3],
      ['A', 1],
    ]);
  });

  it('names files that are gone, and counts the others', async () => {
    await store([RECORD]);
    await run();
    const message = reported();
    assert.deepEqual(message.filesFailed, [{ key: KEYS[1], reason: 'not_found' }]);
    assert.equal(message.records, 1);
  });

  it('names files it cannot decode or read to the end', async () => {
    await store([RECORD, Buffer.from('neither lzma nor xz')]);
    await run();
    assert.deepEqual(reported().filesFailed, [{ key: KEYS[1], reason: 'bad_container' }]);
  });

  it('reports nothing when its result cannot be stored, so that the task comes again', async () => {
    await store([RECORD, RECORD]);
    trace.fail({ method: 'createOnce', key: /result\.txt$/, when: 'before' });
    await assert.rejects(run());
    assert.deepEqual(queues.drain('done'), []);
  });

  it('a second attempt leaves the result of the first, and reports it when it is the same', async () => {
    await store([RECORD, RECORD]);
    await run();
    reported();
    const first = analysis.contents.get(RESULT);
    await run(2);
    assert.deepEqual([reported().targetPrefix, analysis.contents.get(RESULT)], [`output/${TASK.id}/`, first]);
  });

  for (const [what, text] of [
    ['of another length', `${RECORD}${RECORD}`],
    ['of the same length', RECORD.replace('[1,0,', '[0,1,')],
  ] as const) {
    it(`never reports its own counts with the result of another attempt, ${what}`, async () => {
      await store([RECORD, text]);
      await run();
      reported();
      const first = analysis.contents.get(RESULT);
      await store([RECORD, RECORD]);
      await run(2);
      const { targetPrefix, records } = reported();
      assert.deepEqual([targetPrefix, records, analysis.contents.get(RESULT)], [null, 0, first]);
    });
  }

  it('is given up at the fifth receive, with a null result and without a try', async () => {
    await run(5);
    assert.equal(reported().targetPrefix, null);
    assert.ok(!trace.calls.some(({ method }) => method === 'getToFile'));
  });

  for (const [name, text, reason] of [
    ['of 1,000 empty lines', '\n'.repeat(1000), 'empty_line'],
    ['of lines that are no submissions', 'no tab\n'.repeat(5), 'no_tab'],
  ] as const) {
    it(`names a file ${name} as failed, and counts the other one`, async () => {
      await store([text, RECORD]);
      await run();
      const { targetPrefix, filesFailed, records, skipped } = reported();
      assert.deepEqual(filesFailed, [{ key: KEYS[0], reason: 'no_submission' }]);
      assert.deepEqual([targetPrefix, records], [`output/${TASK.id}/`, 1]);
      assert.equal(skipped[reason], text.split('\n').length - 1);
    });
  }

  it('counts what is good in a file of bad lines', async () => {
    await store([`${RECORD}${'no tab\n'.repeat(1000)}`, 'no tab\n']);
    await run();
    const { filesFailed, records } = reported();
    assert.deepEqual([filesFailed.map(({ key }) => key), records], [[KEYS[1]], 1]);
  });

  it('reports to no queue but those of this deployment', async () => {
    await store([RECORD, RECORD]);
    await assert.rejects(run(1, { mayReportTo: () => false }), /may not report to/);
    assert.deepEqual(queues.drain('done'), []);
  });
});

describe('an external processor', () => {
  it('gets key TAB path lines, and everything in its output folder is uploaded', async () => {
    await store([RECORD, RECORD]);
    await run(1, { processor: 'sh -c \'mkdir "$1/more"; cut -f1 > "$1/result.txt"; echo x > "$1/more/y.txt"\' p' });
    assert.deepEqual(analysis.text(RESULT).trimEnd().split('\n'), KEYS);
    assert.equal(analysis.text(`output/${TASK.id}/more/y.txt`), 'x\n');
    assert.equal(reported().targetPrefix, `output/${TASK.id}/`);
  });

  it('is ended with the task, and what it has started too', async () => {
    await store([RECORD, RECORD]);
    await queues.create('done', { visibilitySeconds: 300, delaySeconds: 0, retentionSeconds: 1000 });
    const told = new AbortController();
    const pidFile = join(work, 'pid');
    const settings = { processor: `sh -c 'sleep 600 & echo $! > ${pidFile}; wait' p` };
    const running = runTask(encodeTaskMessage(TASK, JOB), 1, ports(settings), told.signal);
    const pid = await eventually(async () => Number(/\d+\n/.exec(readFileSync(pidFile, 'utf8'))![0]));
    told.abort(new Error('told to end'));
    await assert.rejects(running, /told to end/);
    await eventually(async () => {
      assert.throws(() => process.kill(pid, 0), /ESRCH/);
    });
    rmSync(pidFile);
    assert.deepEqual(queues.drain('done'), []);
  });

  it('that ends with an error lets the task come again', async () => {
    await store([RECORD, RECORD]);
    await assert.rejects(run(1, { processor: 'exit 3;' }), /exit code 3/);
    assert.deepEqual(queues.drain('done'), []);
  });
});
