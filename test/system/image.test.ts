/** What the image and the compose file start, started on this machine: prebuilt workflows, health checks, metrics. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { generateSamples } from '../../local/samples/generate.ts';
import { alertRules, dashboardExpressions, namesIn } from '../fakes/deploy-expressions.ts';
import { copiedPaths, dockerfile } from '../fakes/dockerfile.ts';
import { Deployment, runToEnd, until } from './deployment.ts';

const DAY = '20131029';

interface Compose {
  readonly services: Record<string, { readonly healthcheck?: { readonly test: readonly string[] } }>;
}

const compose = parse(readFileSync(resolve('docker-compose.temporal.yml'), 'utf8'), { merge: true }) as Compose;

let folder: string;
let deployment: Deployment;
let metricsPort: number;

/** Runs a service's health check with what differs on this machine put in its place. */
function isHealthy(service: string, replacements: Readonly<Record<string, string>>): boolean {
  const [kind, program, ...args] = compose.services[service]?.healthcheck?.test ?? [];
  assert.deepEqual([kind, program], ['CMD', 'node']);
  const adapted = args.map((arg) => {
    let text = arg;
    for (const [there, here] of Object.entries(replacements)) text = text.replaceAll(there, here);
    return text;
  });
  assert.notDeepEqual(adapted, args, 'something was put in its place');
  return spawnSync(process.execPath, adapted, { timeout: 20_000 }).status === 0;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function metrics(): Promise<string> {
  return (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-'));
  await generateSamples({
    ...{ seed: 'image', days: [DAY], directory: folder, submissionsPerFile: 40 },
    ...{ measures: 6, channelVersions: ['nightly/28'] },
  });
  metricsPort = await freePort();
  deployment = await Deployment.start({
    TELEMETRY_DEFINITIONS: join(folder, 'definitions'),
    TELEMETRY_WORKFLOW_BUNDLE: join(folder, 'dist', 'workflows.js'),
    TELEMETRY_METRICS_ADDRESS: `127.0.0.1:${metricsPort}`,
    TELEMETRY_ALIVE_FILE: join(folder, 'alive'),
  });
  await deployment.load(join(folder, 'submissions'));
});
after(async () => {
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('what the image runs', () => {
  it('a worker does not start without its workflow bundle, and says how to make it', async () => {
    const { code, stderr } = await deployment.telemetry('worker');
    assert.equal(code, 2);
    assert.match(stderr, /TELEMETRY_WORKFLOW_BUNDLE: .*telemetry bundle-workflows --output/);
  });

  it('a day is analysed by a worker with prebuilt workflows; both health checks of the compose file hold', async () => {
    const bundled = await deployment.telemetry('bundle-workflows', '--output', join(folder, 'dist', 'workflows.js'));
    assert.equal(bundled.code, 0, bundled.stderr);
    assert.ok(!isHealthy('worker', { '9464': String(metricsPort) }), 'no worker yet');
    deployment.startProcess('worker');
    deployment.startProcess('analysis-worker');
    const { code, stderr } = await deployment.telemetry('run-day', '--day', DAY, '--json');
    assert.equal(code, 0, stderr);
    const check = async (service: string, there: Record<string, string>): Promise<true | undefined> =>
      isHealthy(service, there) ? true : undefined;
    await until('a healthy worker', () => check('worker', { '9464': String(metricsPort) }), 20_000);
    await until(
      'a healthy analysis worker',
      () => check('analysis-worker', { '/tmp/alive': join(folder, 'alive') }),
      20_000,
    );
  });

  it('/metrics counts the day, and has every series of Temporal that deploy/ names', async () => {
    const text = await until(
      'gauges after the commit',
      async () => {
        const scraped = await metrics();
        return /^telemetry_commits_total 1$/m.test(scraped) ? scraped : undefined;
      },
      20_000,
    );
    const value = (series: string): number => {
      const line = text.split('\n').find((one) => one.startsWith(`${series} `));
      return Number(line?.split(' ')[1] ?? assert.fail(`no ${series} in\n${text}`));
    };
    const planned = value('telemetry_tasks_planned_total');
    assert.ok(planned > 0);
    const ends = ['done', 'failed', 'missing'].map((outcome) => value(`telemetry_tasks_total{outcome="${outcome}"}`));
    assert.equal(
      ends.reduce((sum, tasks) => sum + tasks, 0),
      planned,
      'planned = done + failed + missing',
    );
    assert.equal(value('telemetry_receipts_total{outcome="done"}'), planned);
    assert.ok(value('telemetry_submissions_total') > 0);

    const series = new Set([...text.matchAll(/^([a-z_:]+)/gm)].map(([name]) => name));
    const wanted = [...alertRules().map(({ expr }) => expr), ...dashboardExpressions()].flatMap(namesIn);
    // It is there from the first failure on; SDK metrics have no zero before.
    const failuresOnly = ['temporal_workflow_task_execution_failed_total'];
    assert.deepEqual(
      wanted.filter((name) => name.startsWith('temporal_') && !series.has(name) && !failuresOnly.includes(name)),
      [],
    );
  });
});

interface LockedPackage {
  readonly dev?: true;
  readonly optional?: true;
  readonly devOptional?: true;
}

/** What the Dockerfile puts into /app, as far as it lies here: its COPY lines, and what `npm ci` leaves without dev and optional packages. */
async function copyImage(target: string): Promise<void> {
  assert.match(dockerfile, /^RUN npm ci .*--omit=dev --omit=optional/m);
  const { packages } = JSON.parse(readFileSync(resolve('package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const kept = Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !(dev ?? optional ?? devOptional))
    .map(([path]) => path);
  for (const path of copiedPaths()) await cp(resolve(path), join(target, path), { recursive: true });
  // The packages inside a package's own node_modules come with it.
  for (const path of kept.filter((each) => each.lastIndexOf('node_modules/') === 0)) {
    await mkdir(dirname(join(target, path)), { recursive: true });
    await symlink(resolve(path), join(target, path));
  }
}

describe('the files of the image', () => {
  let image: string;
  before(async () => {
    image = await mkdtemp(join(tmpdir(), 'image-files-'));
    await copyImage(image);
  });
  after(() => rm(image, { recursive: true, force: true }));

  // A link counts as the place where it lies: a package finds only those beside it, as if all of them were copied.
  const inImage = (...args: string[]) =>
    runToEnd(process.execPath, ['--preserve-symlinks', ...args], { PATH: process.env['PATH'] });
  const telemetry = (...args: string[]) => inImage(join(image, 'src/cli.ts'), ...args);

  it('have no local tools and no server that only they need', async () => {
    const packages = await readdir(join(image, 'node_modules'));
    assert.ok(packages.includes('commander') && packages.includes('@temporalio'));
    for (const name of ['fauxqs', 'fastify', 'typescript', 'eslint']) assert.ok(!packages.includes(name), name);
    assert.deepEqual((await readdir(image)).sort(), ['filter.json.in', 'node_modules', 'package.json', 'src']);
  });

  it('are all that its commands import', async () => {
    for (const command of ['worker', 'status']) {
      const { code, stdout, stderr } = await telemetry(command, '--help');
      assert.equal(code, 0, stderr);
      assert.ok(stdout.startsWith(`Usage: telemetry ${command} `), stdout);
    }
    const program = readFileSync(join(image, 'src/program.ts'), 'utf8');
    const modules = new Set([...program.matchAll(/await import\('(\.\/[^']+)'\)/g)].map(([, path = '']) => path));
    assert.ok(modules.size > 10);
    const loads = [...modules].map((path) => `await import(${JSON.stringify(join(image, 'src', path))});`);
    const { code, stderr } = await inImage('--input-type=module', '--eval', loads.join('\n'));
    assert.equal(code, 0, stderr);
  });

  it('know no command of a checkout, and say what to do instead of --local', async () => {
    for (const command of ['up', 'demo', 'temporal'])
      assert.match((await telemetry(command)).stderr, new RegExp(`unknown command '${command}'`));
    for (const args of [
      ['--local', 'status'],
      ['status', '--local'],
      ['--local-directory', 'x', 'worker'],
    ]) {
      const { code, stdout, stderr } = await telemetry(...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.match(
        stderr,
        /^--local is there in a checkout only, .* name the services by AWS_ENDPOINT_URL_S3[^\n]*\n$/,
      );
    }
  });
});
