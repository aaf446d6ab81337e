import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DoneMessage, NO_REPORT, type TaskReport } from '../../src/pipeline/done-queue/done-message.ts';
import { anyCharacter } from '../fakes/any-character.ts';
import { decodeDoneMessage, encodeDoneMessage, outputPrefix } from '../fakes/done-messages.ts';
import { KNOWN_REASONS, MAX_COUNT } from '../../src/pipeline/known-reasons.ts';
import { InvalidDataError } from '../../src/pipeline/invalid-data.ts';
import { decodeBody, encodeBody, isTaskId, splitTaskId } from '../../src/pipeline/task-queue/message-body.ts';
import { decodeTaskMessage, encodeTaskMessage, type TaskMessage } from '../../src/pipeline/task-queue/task-message.ts';

const RUN = '6f1c2a5e-3b0d-4d7e-9a41-0c5f7e2b9d10';
const KEY = `saved_session/Firefox/nightly/28.0a1/20131029030201.20131029.v2.log.0ab8723b6fb3455bb34b04d97482fda2.lzma`;
const TASK: TaskMessage = {
  id: `${RUN}/1`,
  name: 'dashboard-20131029',
  owner: 'telemetry-alerts@example.org',
  code: `batch-jobs/${RUN}.tar.gz`,
  targetQueue: 'done-queue',
  files: [KEY],
  size: 123_456,
};
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const wire = (fields: unknown): string => base64(JSON.stringify(fields));
const done = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: TASK.id,
  files: [KEY],
  'target-prefix': `output/${TASK.id}/`,
  ...changes,
});

function refused(action: () => unknown, reason: string): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof InvalidDataError, String(error));
    assert.equal(error.reason, reason);
    return true;
  });
}

describe('message bodies', () => {
  it('are base64 of JSON, as in the example of docs/formats/queues.md 2.4', () => {
    const body = 'eyJpZCI6ICJqLzEiLCAiZmlsZXMiOiBbImEiXSwgInNpemUiOiAzLCAidGFyZ2V0LXByZWZpeCI6IG51bGx9';
    const fields = { id: 'j/1', files: ['a'], size: 3, 'target-prefix': null };
    assert.deepEqual(decodeBody(body), { fields, plain: false });
  });

  it('that are plain JSON are read, and said to be plain', () => {
    assert.deepEqual(decodeBody(' {"id": 1}\n'), { fields: { id: 1 }, plain: true });
  });

  for (const [name, body, reason] of [
    ['text', 'hello, world', 'not_base64'],
    ['nothing', '', 'not_base64'],
    ['blanks', ' \n ', 'not_base64'],
    ['base64 without its padding', base64('{"a":1}').replace(/=+$/, ''), 'not_base64'],
    ['base64 with a line break', `${base64('{"a":1}').slice(0, 4)}\n${base64('{"a":1}').slice(4)}`, 'not_base64'],
    ['URL-safe base64', base64('{"a":"\u{3fff}~~"}').replaceAll('/', '_').replaceAll('+', '-'), 'not_base64'],
    ['base64 of no JSON', base64('{"a":'), 'bad_json'],
    ['base64 of a JSON array', base64('[1]'), 'bad_json'],
    ['base64 of null', base64('null'), 'bad_json'],
    ['plain JSON cut off', '{"a":', 'bad_json'],
    ['a JSON array', '[1]', 'not_base64'],
  ] as const) {
    it(`that are ${name} are refused as ${reason}`, () => {
      refused(() => decodeBody(body), reason);
    });
  }

  it('come back as they went, in printable ASCII', () => {
    const fields = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
    fc.assert(
      fc.property(fields, (value) => {
        const body = encodeBody(value);
        assert.match(Buffer.from(body, 'base64').toString('latin1'), /^[\x20-\x7e]*$/);
        assert.deepEqual(decodeBody(body).fields, JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('task ids', () => {
  it('are a run id and a number', () => {
    assert.deepEqual(splitTaskId(`${RUN}/17`), { runId: RUN, number: 17 });
    for (const id of [`${RUN}/1`, `${RUN}/999999`]) assert.ok(isTaskId(id), id);
    const bad = [`${RUN}/0`, `${RUN}/01`, `${RUN}/1000000`, `${RUN}/-1`, `${RUN}/1/2`, `${RUN}/`, RUN, 'j/1', 1, null];
    for (const id of [...bad, `${RUN.replace('6', '..')}/1`, `${RUN}/1\n`]) assert.ok(!isTaskId(id), String(id));
  });
});

describe('task messages', () => {
  it('carry the seven fields of docs/formats/queues.md 2.2', () => {
    const { targetQueue, ...rest } = TASK;
    assert.deepEqual(decodeBody(encodeTaskMessage(TASK, TASK)).fields, { ...rest, 'target-queue': targetQueue });
  });

  const named = (badHistograms: unknown, bad = 100) =>
    decodeDoneMessage(wire(done({ skipped: { bad_histogram: bad }, 'bad-histograms': badHistograms })));

  for (const [name, value, expected, refused] of [
    ['absent', undefined, {}, 0],
    ['null', null, {}, 1],
    ['a list', [['GC_MS', 1]], {}, 1],
    ['a text', 'GC_MS', {}, 1],
    ['of a name that is none', { 'A/B': 1, '\u001b[2J': 1, ['x'.repeat(129)]: 1, '': 1, '..': 1, OK: 2 }, { OK: 2 }, 5],
    ['of what is no count', { A: -1, B: 1.5, C: '3', D: null, E: {}, F: 0, G: 2 ** 32, OK: 2 }, { OK: 2 }, 7],
    ['of more than were left out', { A: 60, B: 50, C: 40, D: 1 }, { A: 60, C: 40 }, 2],
  ] as const) {
    it(`with a list of bad histograms that is ${name} bring what can be true of it, and count the rest`, () => {
      const { badHistograms, skipped } = named(value);
      assert.deepEqual(badHistograms, expected);
      assert.equal(skipped['bad_report'] ?? 0, refused);
      assert.equal(skipped['bad_histogram'], 100);
    });
  }

  it('bring the 50 worst of any number of measures', () => {
    const many = Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`M_${index}`, 1 + (index % 40)]));
    const { badHistograms, skipped } = named(many, MAX_COUNT);
    assert.equal(Object.keys(badHistograms).length, 50);
    assert.deepEqual(new Set(Object.values(badHistograms)), new Set([40]));
    assert.equal(skipped['bad_report'], 3950);
  });

  it('name bad histograms as far as there is room', () => {
    const names = Array.from({ length: 50 }, (_, index) => `${10 + index}`.padStart(128, 'M'));
    const report: TaskReport = {
      ...{ filesFailed: [], filesPartial: [], records: 7, skipped: { bad_histogram: 50 } },
      badHistograms: Object.fromEntries(names.map((name) => [name, 1])),
    };
    const body = encodeDoneMessage(TASK, { aborted: false, report });
    const { badHistograms } = decodeDoneMessage(body);
    const count = Object.keys(badHistograms).length;
    assert.ok(count >= 10 && count < 50, `${count} measures`);
    assert.deepEqual(Object.keys(badHistograms), names.slice(0, count));
  });

  it('come back as they went', () => {
    const task = fc.record(
      {
        id: fc.integer({ min: 1, max: 999_999 }).map((number) => `${RUN}/${number}`),
        files: fc.uniqueArray(fc.string({ unit: anyCharacter }), { maxLength: 5 }),
        size: fc.maxSafeNat(),
        name: fc.string({ unit: anyCharacter }),
        owner: fc.string(),
        code: fc.string(),
        targetQueue: fc.stringMatching(/^[A-Za-z0-9_-]{1,80}$/),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(task, (message) => {
        assert.deepEqual(decodeTaskMessage(encodeTaskMessage(message, message)), message);
      }),
    );
  });

  it('take 418 bytes for one file and 22,218 for 201, in the reference spelling', () => {
    // Python's separators; ours are a little shorter, so nothing outgrows the reckoning of docs/formats/queues.md 2.3.
    const spelt = (files: number): number => {
      const { targetQueue, ...rest } = TASK;
      const fields = { ...rest, 'target-queue': targetQueue, files: Array.from({ length: files }, () => KEY) };
      const python = (value: unknown): string =>
        Array.isArray(value) ? `[${value.map(python).join(', ')}]` : JSON.stringify(value);
      const members = Object.entries({ ...fields, 'target-prefix': outputPrefix(TASK.id) });
      return `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${python(value)}`).join(', ')}}`.length;
    };
    assert.deepEqual([spelt(1), spelt(201)], [418, 22_218]);
    const ours = encodeDoneMessage(
      { ...TASK, files: new Array<string>(201).fill(KEY) },
      { aborted: false, report: NO_REPORT },
    );
    assert.ok(ours.length <= 29_624 + 100, String(ours.length));
  });

  for (const [name, fields] of [
    ['no id', { id: undefined }],
    ['an id without a number', { id: RUN }],
    ['no files', { files: undefined }],
    ['files that are no texts', { files: [1] }],
    ['files that are a text', { files: KEY }],
    ['no target queue', { 'target-queue': undefined }],
    ['a target queue that is a URL', { 'target-queue': 'https://sqs/q' }],
  ] as const) {
    it(`with ${name} are refused`, () => {
      refused(() => decodeTaskMessage(wire({ ...TASK, 'target-queue': 'q', ...fields })), 'bad_message');
    });
  }
});

describe('done messages', () => {
  it('repeat the task and say where the result lies', () => {
    const { fields } = decodeBody(encodeDoneMessage(TASK, { aborted: false, report: NO_REPORT }));
    assert.equal(fields['target-prefix'], `output/${TASK.id}/`);
    assert.equal(fields['target-queue'], 'done-queue');
    assert.deepEqual(fields['files'], TASK.files);
  });

  it('of foreign workers carry no report, and need only id, files and target-prefix', () => {
    const expected: DoneMessage = {
      id: TASK.id,
      files: [KEY],
      targetPrefix: outputPrefix(TASK.id),
      plain: false,
      ...NO_REPORT,
    };
    assert.deepEqual(decodeDoneMessage(wire(done())), expected);
    assert.deepEqual(decodeDoneMessage(wire(done({ extra: [1], size: 'x', name: 5 }))), expected);
    assert.deepEqual(decodeDoneMessage(JSON.stringify(done())), { ...expected, plain: true });
  });

  it('with target-prefix null say that the task was given up', () => {
    const aborted = decodeDoneMessage(encodeDoneMessage(TASK, { aborted: true, report: NO_REPORT }));
    assert.equal(aborted.targetPrefix, null);
    assert.deepEqual(aborted.files, [KEY]);
  });

  it('list a repeated file once, and may list none', () => {
    assert.deepEqual(decodeDoneMessage(wire(done({ files: ['b', 'a', 'b'] }))).files, ['b', 'a']);
    assert.deepEqual(decodeDoneMessage(wire(done({ files: [] }))).files, []);
  });

  const prefixes: readonly [prefix: unknown, reason: string | undefined][] = [
    [`output/${TASK.id}/`, undefined],
    [`output/${TASK.id}`, undefined],
    [undefined, 'bad_message'],
    ['', 'bad_prefix'],
    [5, 'bad_prefix'],
    [`output/${TASK.id}//`, 'bad_prefix'],
    [`/output/${TASK.id}/`, 'bad_prefix'],
    [`output/${RUN}/2/`, 'bad_prefix'],
    [`output/${RUN}/../other/1/`, 'bad_prefix'],
    [`s3://bucket/output/${TASK.id}/`, 'bad_prefix'],
  ];
  for (const [prefix, reason] of prefixes) {
    it(`with target-prefix ${prefix === undefined ? 'absent' : JSON.stringify(prefix)} are ${reason ?? 'taken'}`, () => {
      const body = wire(done({ 'target-prefix': prefix }));
      if (reason === undefined) assert.equal(decodeDoneMessage(body).targetPrefix, `output/${TASK.id}/`);
      else refused(() => decodeDoneMessage(body), reason);
    });
  }

  for (const [name, changes] of [
    ['no id', { id: undefined }],
    ['an id that is no task id', { id: 'j/1' }],
    ['no files', { files: undefined }],
    ['files that are null', { files: null }],
    ['a number among the files', { files: [KEY, 1] }],
  ] as const) {
    it(`with ${name} are refused`, () => {
      refused(() => decodeDoneMessage(wire(done(changes))), 'bad_message');
    });
  }

  it('bring the report of a worker of ours', () => {
    const report: TaskReport = {
      filesFailed: [{ key: KEY, reason: 'bad_container' }],
      filesPartial: [],
      records: 7,
      skipped: { no_tab: 2, bad_json: 1, bad_histogram: 5 },
      badHistograms: { GC_MS: 4, __proto__x: 1 },
    };
    const { filesFailed, filesPartial, records, skipped, badHistograms } = decodeDoneMessage(
      encodeDoneMessage(TASK, { aborted: false, report }),
    );
    assert.deepEqual({ filesFailed, filesPartial, records, skipped, badHistograms }, report);
  });

  it('believe of a report only what can be true', () => {
    const { filesFailed, filesPartial, records, skipped } = decodeDoneMessage(
      wire(
        done({
          'files-failed': [
            { key: KEY, reason: 'not_found' },
            { key: 'another task’s file', reason: 'not_found' },
            { key: KEY, reason: 'bad_container' },
            { file: 0, reason: 'bad_container' },
            { file: 7, reason: 'bad_container' },
            null,
          ],
          'files-partial': [KEY, 'another', 1, 0],
          records: -1,
          skipped: { no_tab: 1, bad_json: 1.5, 'x y': 3, bad_os: '4', bad_arch: -2, __proto__x: 1 },
        }),
      ),
    );
    assert.deepEqual(filesFailed, [{ key: KEY, reason: 'not_found' }]);
    assert.deepEqual(filesPartial, []);
    assert.equal(records, 0);
    assert.deepEqual(skipped, { no_tab: 1, other: 4 });
  });

  it('bring reasons that we know, and others as `other`, however many there are', () => {
    const invented = Array.from({ length: 5000 }, (_, index) => [`reason_${index}`, 2 ** 32 - 1]);
    const { filesFailed, skipped, records } = decodeDoneMessage(
      wire(
        done({
          'files-failed': [{ key: KEY, reason: '\u001b[2J' }],
          skipped: { ...Object.fromEntries(invented), no_tab: 2 ** 32 },
          records: 2 ** 53 - 1,
        }),
      ),
    );
    assert.deepEqual(filesFailed, [{ key: KEY, reason: 'other' }]);
    assert.deepEqual(skipped, { other: 5000 * (2 ** 32 - 1) });
    assert.equal(records, 0);
  });

  it('come back as they went', () => {
    const reason = fc.constantFrom(...KNOWN_REASONS);
    const measure = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/);
    const input = fc.uniqueArray(fc.string({ unit: anyCharacter }), { minLength: 1, maxLength: 6 }).chain((files) =>
      fc.record(
        {
          files: fc.constant(files),
          filesFailed: fc.uniqueArray(
            fc.record({ key: fc.constantFrom(...files.slice(1), 'none'), reason }, { noNullPrototype: true }),
            { selector: ({ key }) => key },
          ),
          filesPartial: fc.constantFrom([], files.slice(0, 1)),
          records: fc.nat(MAX_COUNT),
          skipped: fc.dictionary(reason, fc.nat(MAX_COUNT), { noNullPrototype: true, maxKeys: 64 }),
          badHistograms: fc.dictionary(measure, fc.integer({ min: 1, max: 9 }), { noNullPrototype: true, maxKeys: 9 }),
        },
        { noNullPrototype: true },
      ),
    );
    fc.assert(
      fc.property(input, ({ files, ...report }) => {
        const filesFailed = report.filesFailed.filter(({ key }) => files.includes(key));
        const named = Object.values(report.badHistograms).reduce((sum, count) => sum + count, 0);
        const skipped = { ...report.skipped, ...(named > 0 && { bad_histogram: named }) };
        const sent = { ...report, filesFailed, skipped };
        const message = decodeDoneMessage(encodeDoneMessage({ ...TASK, files }, { aborted: false, report: sent }));
        assert.deepEqual(message, { id: TASK.id, files, targetPrefix: outputPrefix(TASK.id), plain: false, ...sent });
      }),
    );
  });

  it('whatever their bytes, are read or refused', () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom(TASK.id, [KEY], null, outputPrefix(TASK.id)));
    const names = [
      'id',
      'files',
      'target-prefix',
      'target-queue',
      'files-failed',
      'files-partial',
      'records',
      'skipped',
    ];
    const nearly = fc
      .dictionary(fc.constantFrom(...names), field, { noNullPrototype: true })
      .map((changes) => wire(done(changes)));
    const cut = fc.tuple(fc.nat(600), fc.string({ maxLength: 2 })).map(([at, insert]) => {
      const json = JSON.stringify(done({ 'target-queue': 'q' }));
      return base64(json.slice(0, at) + insert + json.slice(at + 1));
    });
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
    const body = fc.oneof(
      fc.string({ unit: anyCharacter }),
      bytes.map((buffer) => buffer.toString('base64')),
      bytes.map((buffer) => buffer.toString('latin1')),
      nearly,
      cut,
    );
    fc.assert(
      fc.property(body, (text) => {
        for (const decode of [decodeDoneMessage, decodeTaskMessage]) {
          try {
            assert.ok(isTaskId(decode(text).id));
          } catch (error) {
            if (!(error instanceof InvalidDataError)) throw error;
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of a megabyte, or nested without end, are refused too', () => {
    refused(() => decodeDoneMessage('A'.repeat(1 << 20)), 'bad_json');
    refused(() => decodeDoneMessage(`${'A'.repeat(1 << 20)}?`), 'not_base64');
    refused(() => decodeDoneMessage(base64(`{"id":${'['.repeat(200_000)}`)), 'bad_json');
    // Whole JSON, which JSON.parse takes at any depth.
    for (const member of ['id', 'files', 'target-prefix', 'skipped'])
      refused(() => decodeDoneMessage(base64(`{"${member}":${'['.repeat(5000)}${']'.repeat(5000)}}`)), 'bad_json');
  });
});
