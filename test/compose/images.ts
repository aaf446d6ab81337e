/** What stands in for each image of docker-compose.temporal.yml: its real program, from the package registries of its language. */
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binarySources } from '../../local/directories.ts';
import { findBinary } from '../../local/stack/binaries.ts';
import { runProgram } from '../../src/run-program.ts';
import { copiedPaths, imageStage } from '../fakes/dockerfile.ts';
import { findElasticmq } from '../second-services/elasticmq.ts';
import { keepBuilt, needTool, step } from '../second-services/kept-build.ts';
import { readCompose, ROOT } from './compose-file.ts';

export interface Image {
  /** As the image has it: path in the container → path here. */
  readonly files: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  /** Number of the user that it runs as, and that its volumes belong to; root by default. */
  readonly user?: string;
  readonly folder?: string;
}

const BUILD_MS = 45 * 60_000;
const PATH = '/image/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const NODE_USER = '1000';

/** Versions as the compose file names them. */
export interface Versions {
  readonly temporal: string;
  readonly ui: string;
  readonly mailpit: string;
}

/** By the image's repository. Builds what is missing, which takes a quarter of an hour the first time on a machine. */
export async function findImages(cache: string, work: string, versions: Versions): Promise<ReadonlyMap<string, Image>> {
  await needTool('go', 'version');
  await needTool('postgres', '--version');
  await needTool('busybox', '--help');
  await needTool('nc', '-h');
  const temporal = await goPrograms(cache, `temporal-server-${versions.temporal}`, {
    'temporal-server': `go.temporal.io/server/cmd/server@v${versions.temporal}`,
    'temporal-sql-tool': `go.temporal.io/server/cmd/tools/sql@v${versions.temporal}`,
  });
  const ui = await goPrograms(cache, `temporal-ui-${versions.ui}`, {
    'ui-server': `github.com/temporalio/ui-server/v2/cmd/server@v${versions.ui}`,
  });
  const mailpit = await goPrograms(cache, `mailpit-${versions.mailpit}`, {
    mailpit: `github.com/axllent/mailpit@v${versions.mailpit}`,
  });
  const sources = await moduleFolder(`go.temporal.io/server@v${versions.temporal}`);
  const uiSources = await moduleFolder(`github.com/temporalio/ui-server/v2@v${versions.ui}`);
  const small = join(work, 'small-tools');
  await smallTools(small);
  const weed = await findBinary('weed', binarySources(), () => undefined);
  const jars = await findElasticmq(cache);
  return new Map<string, Image>([
    ['postgres', postgresImage(work, small)],
    [
      'temporalio/admin-tools',
      {
        files: { '/image/bin': temporal, '/etc/temporal/schema': join(sources, 'schema') },
        environment: { PATH },
        entrypoint: [],
        user: NODE_USER,
      },
    ],
    [
      'temporalio/server',
      {
        files: {
          '/image/bin': withTools(work, 'temporal', temporal, small),
          '/etc/temporal/entrypoint.sh': executable(work, join(sources, 'docker/scripts/sh/entrypoint.sh')),
        },
        environment: { PATH },
        entrypoint: [],
        // Alpine's shell knows pipefail.
        command: ['/image/bin/ash', '/etc/temporal/entrypoint.sh'],
        user: NODE_USER,
        folder: '/etc/temporal',
      },
    ],
    ['temporalio/ui', uiImage(work, withTools(work, 'ui', ui, small), uiSources)],
    [
      'softwaremill/elasticmq-native',
      {
        files: { '/image/jars': jars },
        environment: { PATH },
        entrypoint: [
          'java',
          '-Xmx256m',
          '-Dconfig.file=/opt/elasticmq.conf',
          '-cp',
          '/image/jars/*',
          'org.elasticmq.server.Main',
        ],
      },
    ],
    [
      'chrislusf/seaweedfs',
      { files: { '/image/bin': withProgram(work, 'weed', weed) }, environment: { PATH }, entrypoint: ['weed'] },
    ],
    [
      'axllent/mailpit',
      {
        files: { '/mailpit': join(mailpit, 'mailpit') },
        environment: { PATH },
        entrypoint: ['/mailpit'],
        user: NODE_USER,
      },
    ],
    ['telemetry-dashboard', await applicationImage(work)],
  ]);
}

/** Programs of Go modules, with the names that the images give them. */
async function goPrograms(cache: string, name: string, sources: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(cache, name);
  await keepBuilt({
    target: folder,
    deadlineMs: BUILD_MS,
    build: async (draft) => {
      for (const [program, source] of Object.entries(sources)) {
        const place = join(draft, 'build');
        await step('go', ['install', source], BUILD_MS, { GOBIN: place });
        const built = await runProgram('sh', ['-c', `mv "${place}"/* "${join(draft, program)}"`]);
        if (built.error !== null) throw new Error(`${source}: ${built.output}`);
      }
      await step('rmdir', [join(draft, 'build')], BUILD_MS);
    },
  });
  // The users of the images run them too.
  chmodSync(folder, 0o755);
  return folder;
}

async function moduleFolder(module: string): Promise<string> {
  const { stdout, output, error } = await runProgram('go', ['mod', 'download', '-json', module], {
    deadlineMs: BUILD_MS,
  });
  if (error !== null) throw new Error(`${module}: ${output}`);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** The shell and the small programs of Alpine, which most images are made of. */
async function smallTools(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { stdout } = await runProgram('sh', ['-c', 'command -v busybox']);
  for (const name of ['ash', 'wget']) if (!existsSync(join(folder, name))) cpSync(stdout.trim(), join(folder, name));
}

function withTools(work: string, name: string, ...folders: readonly string[]): string {
  const place = join(work, `bin-${name}`);
  for (const folder of folders) cpSync(folder, place, { recursive: true });
  return place;
}

function withProgram(work: string, name: string, program: string): string {
  const place = join(work, `bin-${name}`);
  mkdirSync(place, { recursive: true });
  cpSync(program, join(place, name));
  return place;
}

function executable(work: string, file: string): string {
  const copy = join(work, file.split('/').at(-1) ?? '');
  writeFileSync(copy, readFileSync(file), { mode: 0o755 });
  return copy;
}

/** The image's entry point makes the database of an empty volume, then serves every address. */
function postgresImage(work: string, small: string): Image {
  const start = join(work, 'postgres-entrypoint.sh');
  writeFileSync(
    start,
    `#!/bin/sh
set -eu
mkdir -p "$PGDATA"
chown -R postgres "$PGDATA"
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  echo "$POSTGRES_PASSWORD" > /tmp/password
  chown postgres /tmp/password
  runuser --user postgres -- initdb --username="$POSTGRES_USER" --pwfile=/tmp/password --auth-host=scram-sha-256 > /dev/null
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -c listen_addresses='*' -c unix_socket_directories=/tmp
`,
    { mode: 0o755 },
  );
  return {
    files: { '/image/entrypoint.sh': start, '/image/bin': small },
    environment: { PATH, PGDATA: '/var/lib/postgresql/data', PGHOST: '/tmp' },
    entrypoint: ['/image/entrypoint.sh'],
  };
}

/** The image writes its configuration from the environment by a template of its sources. */
function uiImage(work: string, programs: string, sources: string): Image {
  const config = join(work, 'ui-config');
  cpSync(join(sources, 'config'), config, { recursive: true });
  return {
    files: { '/image/bin': programs, '/home/ui-server/config': config },
    environment: { PATH },
    entrypoint: ['ui-server', '--root', '/home/ui-server', '--config', 'config', '--env', 'docker', 'start'],
    user: NODE_USER,
    folder: '/home/ui-server',
  };
}

/** What the Dockerfile puts into the image, with its settings; its packages are those of the checkout. */
async function applicationImage(work: string): Promise<Image> {
  const app = join(work, 'app');
  for (const path of copiedPaths()) cpSync(join(ROOT, path), join(app, path), { recursive: true });
  // A place for the packages, which are mounted.
  mkdirSync(join(app, 'node_modules'));
  const dist = join(app, 'dist');
  cpSync(join(ROOT, 'dist'), dist, { recursive: true });
  const { error, output } = await runProgram(
    process.execPath,
    [join(ROOT, 'src/cli.ts'), 'bundle-workflows', '--output', join(dist, 'workflows.js')],
    { deadlineMs: BUILD_MS },
  );
  if (error !== null) throw new Error(output);
  mkdirSync(join(dist, 'compiled'), { recursive: true });
  const environment = Object.fromEntries(
    [...imageStage.matchAll(/(?:^ENV |^ {2})([A-Z_]+)=(\S+)/gm)].map(([, name = '', value = '']) => [
      name,
      value.startsWith('$') ? '' : value,
    ]),
  );
  const command = /^CMD \[(.*)\]$/m.exec(imageStage)?.[1] ?? '"worker"';
  const entrypoint = /^ENTRYPOINT \[(.*)\]$/m.exec(imageStage)?.[1] ?? '"node","/app/src/cli.ts"';
  return {
    files: { '/app': app, '/app/node_modules': join(ROOT, 'node_modules'), '/image/bin': dirname(process.execPath) },
    environment: { PATH, ...environment },
    entrypoint: JSON.parse(`[${entrypoint}]`) as string[],
    command: JSON.parse(`[${command}]`) as string[],
    user: NODE_USER,
    folder: '/app',
  };
}

/** Of the images that the compose file names. */
export function versionsOf(): Versions {
  const version = (image: string): string => {
    const found = readCompose().find((service) => service.image.startsWith(`${image}:`));
    if (found === undefined) throw new Error(`docker-compose.temporal.yml has no ${image}`);
    return found.image.slice(image.length + 1).replace(/^v/, '');
  };
  return { temporal: version('temporalio/server'), ui: version('temporalio/ui'), mailpit: version('axllent/mailpit') };
}
