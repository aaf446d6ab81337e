/** versitygw: a second implementation of S3, over the files of a folder. */
import { join } from 'node:path';
import { LOOPBACK } from '../../local/stack/free-ports.ts';
import { type ServerProcess, startServerProcess } from '../../local/stack/server-process.ts';
import type { ServicePlace } from '../../local/stack/services.ts';
import { endingWithParent } from './ending-with-parent.ts';
import { keepBuilt, needTool, step } from './kept-build.ts';

const VERSION = '1.8.0';
/** Two minutes of work for two cores; more where tests run beside it. */
const DEADLINE_MS = 20 * 60_000;

/** The program, built by Go if need be. */
export async function findVersitygw(cache: string): Promise<string> {
  const folder = join(cache, `versitygw-${VERSION}`);
  await keepBuilt({
    target: folder,
    deadlineMs: DEADLINE_MS,
    build: async (draft) => {
      await needTool('go', 'version');
      const source = `github.com/versity/versitygw/cmd/versitygw@v${VERSION}`;
      await step('go', ['install', source], DEADLINE_MS, { GOBIN: draft });
    },
  });
  return join(folder, 'versitygw');
}

export async function startVersitygw(program: string, place: ServicePlace): Promise<ServerProcess> {
  const address = `${LOOPBACK}:${place.ports.s3}`;
  return startServerProcess({
    name: 'object store (versitygw)',
    ...(await endingWithParent(program, [
      ...['--port', address, '--region', place.region, '--quiet', '--health', '/healthz'],
      ...['posix', place.dataDirectory],
    ])),
    environment: {
      PATH: process.env['PATH'] ?? '',
      HOME: place.directory,
      ROOT_ACCESS_KEY: place.credentials.accessKeyId,
      ROOT_SECRET_KEY: place.credentials.secretAccessKey,
    },
    logFile: place.logFile,
    pidFile: place.pidFile,
    log: place.log,
    isHealthy: async () => {
      const answer = await fetch(`http://${address}/healthz`, { signal: AbortSignal.timeout(2_000) });
      await answer.body?.cancel();
      return answer.ok;
    },
    startDeadlineMs: 30_000,
    stopDeadlineMs: 5_000,
  });
}
