/** The manifests of deploy/kubernetes: whole, safe, and whatever they name exists. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { loadClientConfigProfile } from '@temporalio/envconfig';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { loadConfig } from '../../src/config.ts';
import { telemetryProgram } from '../../src/program.ts';
import { environmentSchema } from '../../src/settings.ts';

const folder = resolve('deploy/kubernetes');

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/'), port: z.string() }).optional(),
  exec: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
  initialDelaySeconds: z.int().optional(),
  periodSeconds: z.int(),
  timeoutSeconds: z.int().optional(),
  failureThreshold: z.int().optional(),
});
const quantity = z.string().regex(/^\d+(?:m|Mi|Gi)?$/);
const named = z.strictObject({ name: z.string() });
const container = z.strictObject({
  name: z.string(),
  image: z.literal('telemetry-dashboard:local'),
  args: z.tuple([z.string()]),
  envFrom: z.tuple([
    z.strictObject({ configMapRef: named }),
    z.strictObject({ secretRef: z.strictObject({ name: z.string(), optional: z.literal(true) }) }),
  ]),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.int() })).optional(),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: quantity, memory: quantity, 'ephemeral-storage': quantity }),
    limits: z.strictObject({ memory: quantity, 'ephemeral-storage': quantity }),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(
    z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.literal(true).optional() }),
  ),
});
const labels = z.record(z.string(), z.string());
const pod = z.strictObject({
  metadata: z.strictObject({ labels }),
  spec: z.strictObject({
    serviceAccountName: z.string(),
    automountServiceAccountToken: z.literal(false),
    terminationGracePeriodSeconds: z.int().optional(),
    restartPolicy: z.literal('Never').optional(),
    securityContext: z.strictObject({
      runAsNonRoot: z.literal(true),
      runAsUser: z.literal(1000),
      runAsGroup: z.literal(1000),
      fsGroup: z.literal(1000),
      seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
    }),
    containers: z.tuple([container]),
    volumes: z.array(
      z.union([
        z.strictObject({ name: z.string(), emptyDir: z.strictObject({ sizeLimit: quantity }) }),
        z.strictObject({
          name: z.string(),
          secret: z.strictObject({ secretName: z.string(), optional: z.literal(true) }),
        }),
      ]),
    ),
  }),
});
const metadata = z.strictObject({
  ...{ name: z.string(), namespace: z.literal('telemetry') },
  ...{ labels: labels.optional(), annotations: labels.optional() },
});
const manifest = z.discriminatedUnion('kind', [
  z.strictObject({
    ...{ apiVersion: z.literal('v1'), kind: z.literal('Namespace') },
    metadata: z.strictObject({ name: z.literal('telemetry'), labels }),
  }),
  z.strictObject({
    apiVersion: z.literal('apps/v1'),
    kind: z.literal('Deployment'),
    metadata,
    spec: z.strictObject({
      replicas: z.int().optional(),
      selector: z.strictObject({ matchLabels: labels }),
      template: pod,
    }),
  }),
  z.strictObject({
    apiVersion: z.literal('batch/v1'),
    kind: z.literal('CronJob'),
    metadata,
    spec: z.strictObject({
      schedule: z.string(),
      concurrencyPolicy: z.literal('Forbid'),
      startingDeadlineSeconds: z.int(),
      successfulJobsHistoryLimit: z.int(),
      failedJobsHistoryLimit: z.int(),
      jobTemplate: z.strictObject({
        spec: z.strictObject({ backoffLimit: z.literal(0), activeDeadlineSeconds: z.int(), template: pod }),
      }),
    }),
  }),
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('Service'),
    metadata,
    spec: z.strictObject({
      selector: labels,
      ports: z.array(z.strictObject({ name: z.string(), port: z.int(), targetPort: z.string() })),
    }),
  }),
  z.strictObject({ apiVersion: z.literal('v1'), kind: z.literal('ConfigMap'), metadata, data: labels }),
  z.strictObject({ apiVersion: z.literal('v1'), kind: z.literal('ServiceAccount'), metadata }),
  z.strictObject({
    apiVersion: z.literal('keda.sh/v1alpha1'),
    kind: z.literal('ScaledObject'),
    metadata,
    spec: z.strictObject({
      scaleTargetRef: named,
      pollingInterval: z.int(),
      cooldownPeriod: z.int(),
      minReplicaCount: z.int().min(1),
      maxReplicaCount: z.int(),
      triggers: z.tuple([
        z.strictObject({ type: z.literal('aws-sqs-queue'), authenticationRef: named, metadata: labels }),
      ]),
    }),
  }),
  z.strictObject({
    apiVersion: z.literal('keda.sh/v1alpha1'),
    kind: z.literal('TriggerAuthentication'),
    metadata,
    spec: z.strictObject({ podIdentity: z.strictObject({ provider: z.literal('aws') }) }),
  }),
]);

const files = readdirSync(folder).toSorted();
const manifests = files.flatMap((name) =>
  parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => {
    assert.deepEqual(document.errors, [], name);
    return manifest.parse(document.toJS());
  }),
);
const ofKind = <Kind extends (typeof manifests)[number]['kind']>(kind: Kind) =>
  manifests.filter((each): each is Extract<(typeof manifests)[number], { kind: Kind }> => each.kind === kind);
const pods = [
  ...ofKind('Deployment').map(({ metadata: { name }, spec }) => ({ name, ...spec.template, selector: spec.selector })),
  ...ofKind('CronJob').map(({ metadata: { name }, spec }) => ({
    ...{ name, ...spec.jobTemplate.spec.template, selector: undefined },
  })),
];
const [settings] = ofKind('ConfigMap').map(({ data }) => data);
/** Read by the SDKs, not by us. */
const OF_OTHERS = /^(?:AWS|TEMPORAL)_[A-Z_]+$/;

describe('deploy/kubernetes', () => {
  it('has every process', () => {
    const names = pods.map(({ name }) => name).toSorted();
    assert.deepEqual(
      names,
      ['analysis-worker', 'check', 'histogram-server', 'worker'].map((command) => `telemetry-${command}`),
    );
  });

  for (const { name, spec, selector, metadata: own } of pods) {
    const [only] = spec.containers;
    it(`${name} runs a command of the application, with settings that exist`, () => {
      const [command] = only.args;
      assert.equal(name, `telemetry-${command}`);
      assert.ok(telemetryProgram().commands.some((each) => each.name() === command));
      const given = Object.fromEntries((only.env ?? []).map((variable) => [variable.name, variable.value]));
      const all = { ...settings, ...given };
      for (const variable of Object.keys(all))
        assert.ok(variable in environmentSchema.shape || OF_OTHERS.test(variable), variable);
      loadConfig(all);
      assert.ok(ofKind('ServiceAccount').some(({ metadata: account }) => account.name === spec.serviceAccountName));
      if (selector !== undefined) assert.equal(own.labels['app.kubernetes.io/name'], name);
    });

    it(`${name} is probed where it answers, may write where it must, and ends in time`, () => {
      const ports = new Map((only.ports ?? []).map((port) => [port.name, port.containerPort]));
      const probes = [only.startupProbe, only.readinessProbe, only.livenessProbe].filter((each) => each !== undefined);
      const own = Object.fromEntries((only.env ?? []).map((variable) => [variable.name, variable.value]));
      for (const { httpGet, exec } of probes) {
        if (httpGet === undefined) {
          assert.ok(exec?.command.at(-1)?.includes(`'${own['TELEMETRY_ALIVE_FILE'] ?? '?'}'`));
          continue;
        }
        assert.deepEqual(
          [httpGet.path, String(ports.get(httpGet.port))],
          name === 'telemetry-worker'
            ? ['/metrics', own['TELEMETRY_METRICS_ADDRESS']?.split(':')[1]]
            : ['/health', own['TELEMETRY_HISTOGRAM_PORT']],
        );
      }
      const mounted = only.volumeMounts.map((mount) => mount.name);
      assert.deepEqual(
        mounted,
        spec.volumes.map((volume) => volume.name),
      );
      assert.ok(['/work', '/tmp'].every((path) => only.volumeMounts.some(({ mountPath }) => mountPath === path)));
      const grace = environmentSchema.shape.TELEMETRY_SHUTDOWN_GRACE_SECONDS.parse(undefined);
      if (spec.terminationGracePeriodSeconds !== undefined) assert.ok(spec.terminationGracePeriodSeconds > 2 * grace);
    });
  }

  it('starts again what hangs, and sends no request to what is not ready', () => {
    for (const { name, spec } of pods.filter(({ selector }) => selector !== undefined)) {
      const [{ livenessProbe, readinessProbe, ports }] = spec.containers;
      assert.deepEqual([livenessProbe !== undefined, readinessProbe !== undefined], [true, ports !== undefined], name);
    }
  });

  it('makes its namespace first, since files are applied by their names', () => {
    assert.deepEqual([files[0], manifests[0]?.kind], ['00-namespace.yaml', 'Namespace']);
  });

  it('gives secrets of mails and of Temporal to those who send and ask, to nobody who reads what strangers sent', () => {
    const secrets = pods.map(({ name, spec }) => [
      name,
      spec.containers[0].envFrom[1].secretRef.name,
      ...spec.volumes.flatMap((volume) => ('secret' in volume ? [volume.secret.secretName] : [])),
    ]);
    assert.deepEqual(secrets.toSorted(), [
      ['telemetry-analysis-worker', 'telemetry-analysis-worker'],
      ['telemetry-check', 'telemetry-dashboard', 'temporal-tls'],
      ['telemetry-histogram-server', 'telemetry-histogram-server'],
      ['telemetry-worker', 'telemetry-dashboard', 'temporal-tls'],
    ]);
  });

  it('says how TLS to Temporal is set, by names that its settings have, and files that are mounted', () => {
    const given = readFileSync(join(folder, 'configuration.yaml'), 'utf8')
      .split('\n')
      .flatMap((line) => /^ {2}# (TEMPORAL_TLS\w*): '?([^']+)'?$/.exec(line)?.slice(1) ?? []);
    const variables = Object.fromEntries(
      Array.from({ length: given.length / 2 }, (_, index) => [given[2 * index] ?? '', given[2 * index + 1] ?? '']),
    );
    const { tls } = loadClientConfigProfile({ disableFile: true, overrideEnvVars: variables });
    const found = [tls?.serverCACert, tls?.clientCert, tls?.clientKey].map((source) =>
      source !== undefined && 'path' in source ? source.path : undefined,
    );
    assert.deepEqual(found, ['/etc/temporal-tls/ca.crt', '/etc/temporal-tls/tls.crt', '/etc/temporal-tls/tls.key']);
  });

  it('scales analysis workers by the length of the task queue, what is at work included', () => {
    const [scaled] = ofKind('ScaledObject');
    const [trigger] = scaled?.spec.triggers ?? [];
    assert.equal(scaled?.spec.scaleTargetRef.name, 'telemetry-analysis-worker');
    assert.equal(trigger?.metadata['scaleOnInFlight'], 'true');
    assert.equal(trigger.metadata['queueURL']?.split('/').at(-1), loadConfig({}).TELEMETRY_TASK_QUEUE);
    // It would be set back to this number with every change of the deployment.
    const [target] = ofKind('Deployment').filter(({ metadata: { name } }) => name === scaled.spec.scaleTargetRef.name);
    assert.equal(target?.spec.replicas, undefined);
  });

  it('gives the histogram server the address by which the others look for it', () => {
    const [service] = ofKind('Service');
    const { hostname, port } = new URL(settings?.['TELEMETRY_HISTOGRAM_SERVER'] ?? '');
    assert.deepEqual([service?.metadata.name, String(service?.spec.ports[0]?.port)], [hostname, port]);
    assert.equal(service?.spec.selector['app.kubernetes.io/name'], 'telemetry-histogram-server');
  });
});
