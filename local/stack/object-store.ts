/** The embedded object store: SeaweedFS in one process (`weed mini`), speaking S3 on loopback, data on disk. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LOOPBACK } from './free-ports.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

/** Every port the program would otherwise choose itself; only `s3` is of interest to others. */
export const OBJECT_STORE_PORTS = [
  's3',
  's3Grpc',
  'master',
  'masterGrpc',
  'volume',
  'volumeGrpc',
  'filer',
  'filerGrpc',
  'admin',
  'adminGrpc',
] as const;
type ObjectStorePorts = Readonly<Record<(typeof OBJECT_STORE_PORTS)[number], number>>;

export interface ObjectStoreCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ObjectStoreOptions {
  /** Path of the `weed` program. */
  readonly executable: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly pidFile: string;
  readonly log: (line: string) => void;
  readonly ports: ObjectStorePorts;
  readonly credentials: ObjectStoreCredentials;
}

/** The program makes a socket for each of its ports here, removes none at its end, and cannot be told another place. */
const SOCKETS = '/tmp';
const SOCKET_NAME = /^seaweedfs-.+-(\d+)\.sock$/;

/** Ports on which it could not start: another user's run has left a socket there that this user may not replace. */
export async function foreignSocketPorts(): Promise<Set<number>> {
  const ports = new Set<number>();
  for (const { path, port } of await sockets()) {
    const owner = await stat(path).catch(() => null);
    if (owner !== null && owner.uid !== process.getuid?.()) ports.add(port);
  }
  return ports;
}

async function sockets(): Promise<{ path: string; port: number }[]> {
  const names = await readdir(SOCKETS).catch(() => []);
  return names.flatMap((name) => {
    const port = SOCKET_NAME.exec(name)?.[1];
    return port === undefined ? [] : [{ path: join(SOCKETS, name), port: Number(port) }];
  });
}

/** Starts the object store and waits until its S3 side answers. The data directory must exist. */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ServerProcess> {
  const server = await startProgram(options);
  const own = new Set(Object.values(options.ports));
  return {
    stop: async () => {
      await server.stop();
      for (const { path, port } of await sockets()) if (own.has(port)) await rm(path, { force: true });
    },
  };
}

function startProgram(options: ObjectStoreOptions): Promise<ServerProcess> {
  const { ports } = options;
  return startServerProcess({
    name: 'object store (weed mini)',
    executable: options.executable,
    args: [
      'mini',
      `-dir=${options.dataDirectory}`,
      // Without -ip.bind the program listens on every interface.
      ...[`-ip=${LOOPBACK}`, `-ip.bind=${LOOPBACK}`],
      ...[`-s3.port=${ports.s3}`, `-s3.port.grpc=${ports.s3Grpc}`],
      ...[`-master.port=${ports.master}`, `-master.port.grpc=${ports.masterGrpc}`],
      ...[`-volume.port=${ports.volume}`, `-volume.port.grpc=${ports.volumeGrpc}`],
      ...[`-filer.port=${ports.filer}`, `-filer.port.grpc=${ports.filerGrpc}`],
      ...[`-admin.port=${ports.admin}`, `-admin.port.grpc=${ports.adminGrpc}`],
      // A put to a bucket that does not exist must fail as on AWS.
      '-s3.autoCreateBucket=false',
      // No telemetry, and no parts that are not used here.
      ...['-master.telemetry=false', '-admin.ui=false', '-webdav=false', '-s3.port.iceberg=0', '-s3.port.lance=0'],
      '-volume.preStopSeconds=0',
    ],
    environment: {
      AWS_ACCESS_KEY_ID: options.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: options.credentials.secretAccessKey,
      HOME: options.dataDirectory,
    },
    logFile: options.logFile,
    pidFile: options.pidFile,
    log: options.log,
    isHealthy: async () => {
      const answer = await fetch(`http://${LOOPBACK}:${ports.s3}/healthz`, { signal: AbortSignal.timeout(2_000) });
      await answer.body?.cancel();
      return answer.ok;
    },
    startDeadlineMs: 60_000,
    // Sometimes its volume part never ends (in one stop of four); the data is on disk by then, so killing is safe.
    stopDeadlineMs: 5_000,
  });
}
