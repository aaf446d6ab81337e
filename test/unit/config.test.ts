import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { localSchema } from '../../local/settings.ts';
import { environmentSchema } from '../../src/settings.ts';

function problems(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message.split('\n').slice(1, -1);
  }
  return [];
}

describe('the configuration', () => {
  it('has a default for everything that a start needs', () => {
    const config = loadConfig({});
    assert.equal(config.TELEMETRY_MAX_TASK_FILES, 200);
    assert.equal(config.TELEMETRY_MAX_TASK_BYTES, 419_430_400);
    assert.equal(config.TELEMETRY_DONE_VISIBILITY_SECONDS, 300);
    assert.equal(config.TELEMETRY_STRICT_BUILD_ID, false);
    assert.deepEqual(config.TELEMETRY_REVISION_HOSTS, ['hg.mozilla.org', 'hg-edge.mozilla.org']);
    assert.ok(Object.isFrozen(config));
  });

  it('takes an empty variable for an absent one, and ignores those of others', () => {
    assert.deepEqual(
      loadConfig({ TELEMETRY_TASK_QUEUE: '', PATH: '/bin', TELEMETRY_MAX_TASK_FILES: '' }),
      loadConfig({}),
    );
  });

  it('reads numbers, flags and lists', () => {
    const config = loadConfig({
      TELEMETRY_MAX_TASK_FILES: '50',
      TELEMETRY_STRICT_BUILD_ID: 'true',
      TELEMETRY_REVISION_HOSTS: 'a.example, b.example,',
      TELEMETRY_PUBLISHED_PREFIX: 'v8/test/',
    });
    assert.equal(config.TELEMETRY_MAX_TASK_FILES, 50);
    assert.equal(config.TELEMETRY_STRICT_BUILD_ID, true);
    assert.deepEqual(config.TELEMETRY_REVISION_HOSTS, ['a.example', 'b.example']);
    assert.equal(config.TELEMETRY_PUBLISHED_PREFIX, 'v8/test/');
  });

  const wrong: readonly [variable: string, value: string, text: RegExp][] = [
    ['TELEMETRY_MAX_TASK_FILES', 'many', /must be a number of files$/],
    ['TELEMETRY_MAX_TASK_FILES', '0', /greater than 0/],
    ['TELEMETRY_MAX_TASK_FILES', '1.5', /whole number/],
    ['TELEMETRY_CHUNK_TASKS', '1001', /1000/],
    ['TELEMETRY_INPUT_BUCKET', 'No Bucket', /must be a bucket name/],
    ['TELEMETRY_TASK_QUEUE', 'a b', /must be an SQS queue name/],
    ['TELEMETRY_PUBLISHED_PREFIX', 'v7', /end in a slash/],
    ['TELEMETRY_PUBLISHED_PREFIX', '/', /end in a slash/],
    ['TELEMETRY_STRICT_BUILD_ID', 'yes', /true/],
    ['TELEMETRY_LINUX_VERSION', 'major', /first3/],
    ['AWS_ENDPOINT_URL_S3', 'localhost', /must be an address that begins with http:\/\/ or https:\/\/$/],
    ['AWS_ENDPOINT_URL_SQS', 'localhost:9324', /begins with http:\/\/ or https:\/\//],
    ['TELEMETRY_REVISION_REPOS', '(', /regular expression/],
    ['TELEMETRY_REVISION_MIN_DIGITS', '5', /at least 6/],
    ['TELEMETRY_HISTOGRAM_SERVER', 'localhost:9898', /in-process or an http address/],
    ['TELEMETRY_HISTOGRAM_UPSTREAM', 'http://127.0.0.1/{revision}', /must be https/],
    ['TELEMETRY_HISTOGRAM_UPSTREAM', 'https://{repo}/{revision}', /host is fixed text/],
    ['TELEMETRY_HISTOGRAM_PORT', '65536', /must be a port/],
    ['TELEMETRY_DONE_QUEUE', 'telemetry-analysis-tasks', /must differ from TELEMETRY_TASK_QUEUE/],
    ['TELEMETRY_WEBSITE_REPOSITORY', 'http://host/x', /must be https:/],
    ['TELEMETRY_WEBSITE_BRANCH', '--upload-pack=x', /name of a git branch/],
    ['TELEMETRY_WEBSITE_PREFIX', 'site', /end in a slash/],
    ['TELEMETRY_WEBSITE_MAX_DELETED_PERCENT', '101', /at most 100/],
    ['TELEMETRY_WEBSITE_BUCKET', 'telemetry-analysis', /must differ from TELEMETRY_ANALYSIS_BUCKET/],
    ['TELEMETRY_WEBSITE_BUCKET', 'telemetry-published-v2', /must differ from TELEMETRY_INPUT_BUCKET/],
    ['TELEMETRY_PUBLISHED_BUCKET', 'telemetry-analysis', /must differ from TELEMETRY_ANALYSIS_BUCKET/],
  ];
  for (const [variable, value, text] of wrong) {
    it(`refuses ${variable}=${value}, naming the variable`, () => {
      const [problem = '', ...more] = problems({ [variable]: value });
      assert.deepEqual(more, []);
      assert.ok(problem.trim().startsWith(`${variable}: `), problem);
      assert.match(problem, text);
    });
  }

  it('reports a misspelt variable, and leaves alone those of other tools', () => {
    const found = problems({ TELEMETRY_DONE_QEUE: 'x', TELEMETRY_TAG: 'local', TELEMETRY_FAULTS: 'all' });
    assert.deepEqual(
      found.map((problem) => problem.trim()),
      ['TELEMETRY_DONE_QEUE: no such setting; TELEMETRY_DONE_QUEUE is one'],
    );
  });

  it('reports every problem at once', () => {
    const found = problems({ TELEMETRY_MAX_TASK_FILES: '0', TELEMETRY_CHUNK_TASKS: 'x', TELEMETRY_TASK_QUEUE: '!' });
    assert.deepEqual(found.map((problem) => problem.trim().split(':')[0]).toSorted(), [
      'TELEMETRY_CHUNK_TASKS',
      'TELEMETRY_MAX_TASK_FILES',
      'TELEMETRY_TASK_QUEUE',
    ]);
  });
});

describe('the place of the website', () => {
  const bucket = { TELEMETRY_WEBSITE_BUCKET: 'telemetry-dashboard' };
  for (const prefix of ['', 'v7/', 'v7/site/']) {
    it(`"${prefix}" in the bucket of the data set is refused`, () => {
      const [problem = '', ...more] = problems({ ...bucket, TELEMETRY_WEBSITE_PREFIX: prefix });
      assert.deepEqual(more, []);
      assert.match(
        problem,
        /TELEMETRY_WEBSITE_PREFIX: .*must be apart from the data set in s3:..telemetry-dashboard.v7/,
      );
    });
  }

  it('may be another prefix of that bucket', () => {
    assert.deepEqual(problems({ ...bucket, TELEMETRY_WEBSITE_PREFIX: 'site/' }), []);
  });

  it('has one source only', () => {
    const both = { TELEMETRY_WEBSITE_REPOSITORY: 'https://host/x', TELEMETRY_WEBSITE_FOLDER: '/srv/site' };
    assert.match(problems(both).join(), /TELEMETRY_WEBSITE_FOLDER: give either/);
  });
});

interface Variable {
  readonly description: string;
  readonly unit?: string;
  readonly default?: string | number;
}

/** Defaults that depend on the machine, so that no file can state them. */
const OF_THE_MACHINE: readonly unknown[] = [availableParallelism(), tmpdir()];
const DYNAMIC = ['TELEMETRY_THREADS', 'TELEMETRY_ANALYSIS_TASKS_AT_ONCE', 'TELEMETRY_WORK_DIRECTORY'];

/** What `.env.example` must say, from the schema. */
function exampleFile(): string {
  const schemas = [environmentSchema, localSchema].map((each) =>
    z.toJSONSchema(each, { io: 'input', unrepresentable: 'any' }),
  );
  const variables = schemas.flatMap(({ properties }) => Object.entries(properties as Record<string, Variable>));
  const entries = variables.map(([name, variable]) => {
    const dynamic = DYNAMIC.includes(name);
    if (dynamic) assert.ok(OF_THE_MACHINE.includes(variable.default), name);
    const value = dynamic ? undefined : variable.default;
    const unit = variable.unit === undefined ? '' : ` Unit: ${variable.unit}.`;
    const set = value === undefined ? `#${name}=` : `#${name}=${value}`;
    return `# ${variable.description}${unit}\n${set}\n`;
  });
  const head =
    '# Every setting with its default; a line without a value has none, or one that depends on the machine.\n';
  return [head, ...entries].join('\n');
}

describe('.env.example', () => {
  const path = new URL('../../.env.example', import.meta.url);

  it('lists every variable with description, unit and default', () => {
    assert.equal(readFileSync(path, 'utf8'), exampleFile());
  });

  it('sets what the defaults are', () => {
    const settings = readFileSync(path, 'utf8').matchAll(/^#([A-Z][A-Z0-9_]*)=(.*)$/gm);
    const environment = Object.fromEntries(Array.from(settings, ([, name = '', value = '']) => [name, value]));
    assert.deepEqual(loadConfig(environment), loadConfig({}));
    assert.deepEqual(
      Object.keys(environment),
      [environmentSchema, localSchema].flatMap(({ shape }) => Object.keys(shape)),
    );
  });
});
