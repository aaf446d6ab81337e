/** ElasticMQ: a second implementation of SQS, on the Java virtual machine. Messages live in memory. */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LOOPBACK } from '../../local/stack/free-ports.ts';
import { type ServerProcess, startServerProcess } from '../../local/stack/server-process.ts';
import type { ServicePlace } from '../../local/stack/services.ts';
import { endingWithParent } from './ending-with-parent.ts';
import { keepBuilt, needTool, step } from './kept-build.ts';

const VERSION = '1.7.1';
const DEADLINE_MS = 10 * 60_000;

/** The folder of its jars, fetched by Maven if need be. */
export async function findElasticmq(cache: string): Promise<string> {
  await needTool('java', '-version');
  const jars = join(cache, `elasticmq-${VERSION}`);
  await keepBuilt({
    target: jars,
    deadlineMs: DEADLINE_MS,
    build: async (folder) => {
      await needTool('mvn', '--version');
      const options = ['--batch-mode', '--quiet', '--file', resolve('test/second-services/elasticmq-pom.xml')];
      const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`, `-Delasticmq.version=${VERSION}`];
      await step('mvn', [...options, ...goal], DEADLINE_MS);
    },
  });
  return jars;
}

export async function startElasticmq(jars: string, place: ServicePlace): Promise<ServerProcess> {
  const port = place.ports.sqs;
  const settings = join(place.directory, 'elasticmq.conf');
  await writeFile(
    settings,
    [
      'include classpath("application.conf")',
      // The star: queue addresses begin as the request did, whatever way it came.
      'node-address { protocol = http, host = "*", port = 0, context-path = "" }',
      `rest-sqs { enabled = true, bind-hostname = "${LOOPBACK}", bind-port = ${port}, sqs-limits = strict }`,
      'rest-stats { enabled = false }',
      '',
    ].join('\n'),
  );
  return startServerProcess({
    name: 'SQS (ElasticMQ)',
    ...(await endingWithParent('java', [
      ...['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
      `-Dconfig.file=${settings}`,
      ...['-cp', join(jars, '*'), 'org.elasticmq.server.Main'],
    ])),
    environment: { PATH: process.env['PATH'] ?? '', HOME: place.directory },
    logFile: place.logFile,
    pidFile: place.pidFile,
    log: place.log,
    isHealthy: async () => {
      const answer = await fetch(`http://${LOOPBACK}:${port}/?Action=ListQueues`, {
        signal: AbortSignal.timeout(2_000),
      });
      await answer.body?.cancel();
      return answer.ok;
    },
    startDeadlineMs: 60_000,
    stopDeadlineMs: 5_000,
  });
}
