/**
 * docker-compose.temporal.yml by its own words: every service is started as the file says, found healthy by the file's own
 * check, and started again with its volumes; days are published through all of them. Run by `run.ts`.
 */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readdirSync, readFileSync } from 'node:fs';
import { generateSamples } from '../../local/samples/generate.ts';
import { readCompose, type Service } from './compose-file.ts';
import type { Image } from './images.ts';
import { type Container, PrivateMachine } from './private-machine.ts';

const work = process.env['TELEMETRY_PRIVATE_MACHINE'];
const skip = work === undefined ? 'npm run test:compose runs it' : false;
const DAYS = ['20131028', '20131029'] as const;
const HEALTHY_MS = 180_000;
const STEP_MS = 300_000;

describe('docker-compose.temporal.yml', { skip }, () => {
  const services = readCompose();
  const running = new Map<string, Container>();
  let machine: PrivateMachine;

  before(async () => {
    const images = new Map(JSON.parse(readFileSync(join(String(work), 'images.json'), 'utf8')) as [string, Image][]);
    machine = new PrivateMachine(mkdtempSync(join(String(work), 'machine-')), images, services);
    await machine.answerNames();
    for (const service of services) await begin(service);
    await storeDays();
  });

  after(async () => {
    for (const container of [...running.values()].toReversed()) await machine.stop(container);
    machine.close();
  });

  async function begin(service: Service): Promise<void> {
    const container = await machine.start(service);
    if (service.isStep) {
      assert.equal(await endOf(container), 0, `${service.name} failed:\n${machine.logOf(service.name)}`);
      return;
    }
    running.set(service.name, container);
    await healthy(container);
  }

  async function healthy(container: Container): Promise<void> {
    const { name } = container.service;
    const deadline = Date.now() + HEALTHY_MS;
    while (!(await machine.isHealthy(container))) {
      const { exitCode } = container.process;
      const log = machine.logOf(name).split('\n').slice(-30).join('\n');
      assert.equal(exitCode, null, `${name} ended with ${String(exitCode)}:\n${log}`);
      assert.ok(Date.now() < deadline, `${name} is not healthy:\n${log}`);
      await delay(500);
    }
  }

  async function endOf({ process: child, service }: Container): Promise<number | null> {
    const deadline = Date.now() + STEP_MS;
    while (child.exitCode === null && child.signalCode === null) {
      assert.ok(Date.now() < deadline, `${service.name} does not end:\n${machine.logOf(service.name)}`);
      await delay(100);
    }
    return child.exitCode;
  }

  const named = (name: string): Service => services.find((service) => service.name === name) ?? assert.fail(name);

  /** `docker compose run --rm setup …` */
  async function telemetry(...command: string[]): Promise<{ code: number | null; output: string }> {
    const before = machine.logOf('setup').length;
    const code = await endOf(await machine.start(named('setup'), command));
    return { code, output: machine.logOf('setup').slice(before) };
  }

  async function storeDays(): Promise<void> {
    const folder = mkdtempSync(join(String(work), 'samples-'));
    await generateSamples({
      ...{ seed: 'compose', days: [...DAYS], directory: folder, submissionsPerFile: 40 },
      ...{ measures: 6, channelVersions: ['nightly/28'] },
    });
    const {
      AWS_ACCESS_KEY_ID: accessKeyId = '',
      AWS_SECRET_ACCESS_KEY: secretAccessKey = '',
      ...rest
    } = named('setup').environment;
    const s3 = new S3Client({
      credentials: { accessKeyId, secretAccessKey },
      endpoint: rest['AWS_ENDPOINT_URL_S3'] ?? '',
      region: rest['AWS_REGION'] ?? '',
      forcePathStyle: true,
    });
    const submissions = join(folder, 'submissions');
    for (const path of readdirSync(submissions, { recursive: true, withFileTypes: true })) {
      if (!path.isFile()) continue;
      const file = join(path.parentPath, path.name);
      const key = file.slice(submissions.length + 1);
      await s3.send(new PutObjectCommand({ Bucket: 'telemetry-published-v2', Key: key, Body: readFileSync(file) }));
    }
    s3.destroy();
  }

  async function publish(day: string): Promise<void> {
    const { code, output } = await telemetry('run-day', '--day', day);
    assert.equal(code, 0, output);
    assert.match(output, /published/);
  }

  async function publishedDays(): Promise<number> {
    const answer = await fetch('http://seaweedfs:8333/telemetry-dashboard/v7/versions.json');
    const { $head: head } = (await answer.json()) as { $head: { seq: number } };
    return head.seq;
  }

  it('publishes a day', async () => {
    await publish(DAYS[0]);
    assert.equal(await publishedDays(), 1);
    const { code, output } = await telemetry('check');
    assert.ok(code === 0 || /problem/.test(output), output);
  });

  it('keeps everything when each service is started again, and goes on', async () => {
    for (const name of running.keys()) {
      const container = running.get(name) ?? assert.fail(name);
      await machine.stop(container);
      const again = await machine.start(container.service);
      running.set(name, again);
      await healthy(again);
    }
    assert.equal(await publishedDays(), 1);
    await publish(DAYS[1]);
    assert.equal(await publishedDays(), 2);
    const verified = await telemetry('verify');
    assert.equal(verified.code, 0, verified.output);
    const status = await telemetry('status');
    for (const day of DAYS) assert.match(status.output, new RegExp(day));
  });

  it('sends mail', async () => {
    const { code, output } = await telemetry('setup', '--send-test-alert');
    assert.equal(code, 0, output);
    const answer = await fetch('http://mailpit:8025/api/v1/messages');
    const { total } = (await answer.json()) as { total: number };
    assert.ok(total > 0);
  });
});
