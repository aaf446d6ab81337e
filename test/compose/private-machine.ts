/**
 * What Docker gives the services of a compose file, made of Linux namespaces: a network with their names, a root folder each
 * with their volumes, their user, their health checks. Works as root, inside of the namespaces that `run.ts` makes, so that
 * nothing of it is left on the machine.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runProgram } from '../../src/run-program.ts';
import { ROOT, type Service } from './compose-file.ts';
import type { Image } from './images.ts';
import { startNameServer } from './name-server.ts';

const SUBNET = '10.213.0';
const GATEWAY = `${SUBNET}.1`;
/** Of the machine, read-only, as the system of each container. */
const SYSTEM = ['bin', 'lib', 'lib32', 'lib64', 'sbin', 'usr'];
const STOP_MS = 60_000;
const HEALTH_MS = 30_000;

export interface Container {
  readonly service: Service;
  readonly pid: number;
  readonly process: ChildProcess;
  readonly logFile: string;
}

export class PrivateMachine {
  readonly #directory: string;
  readonly #images: ReadonlyMap<string, Image>;
  readonly #addresses = new Map<string, string>();
  readonly #hosts: string;
  #links = 0;
  #names: Socket | undefined;

  constructor(directory: string, images: ReadonlyMap<string, Image>, services: readonly Service[]) {
    this.#directory = directory;
    this.#images = images;
    services.forEach(({ name }, index) => this.#addresses.set(name, `${SUBNET}.${index + 10}`));
    this.#hosts = join(directory, 'hosts');
    const lines = [...this.#addresses].map(([name, address]) => `${address} ${name}`);
    writeFileSync(this.#hosts, ['127.0.0.1 localhost', ...lines, ''].join('\n'));
    run('ip', 'link', 'set', 'lo', 'up');
    run('ip', 'link', 'add', 'services', 'type', 'bridge');
    run('ip', 'address', 'add', `${GATEWAY}/24`, 'dev', 'services');
    run('ip', 'link', 'set', 'services', 'up');
    // This process calls the services by their names too.
    run('mount', '--bind', this.#hosts, '/etc/hosts');
  }

  /** Programs that do not read the hosts file need it. */
  async answerNames(): Promise<void> {
    this.#names = await startNameServer(GATEWAY, this.#addresses);
  }

  close(): void {
    this.#names?.close();
  }

  /** Starts a service, with other words than its own if need be, as `docker compose run` does. */
  async start(service: Service, command = service.command): Promise<Container> {
    const image = this.#imageOf(service);
    const root = this.#rootOf(service, image);
    this.#links += 1;
    const log = openSync(join(this.#directory, `${service.name}.log`), 'a');
    const link = `link${this.#links}`;
    const words = [...(service.entrypoint ?? image.entrypoint), ...(command ?? image.command ?? [])];
    const environment = { HOME: '/tmp', ...image.environment, ...service.environment };
    const child = spawn(
      'unshare',
      ['--net', '--mount', '--uts', 'sh', '-euc', CONTAINER, 'container', root, service.name, link]
        .concat(this.#addresses.get(service.name) ?? '', GATEWAY, service.readOnly ? 'ro' : 'rw', image.user ?? '0')
        .concat(image.folder ?? '/', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`), '--')
        .concat(words),
      { stdio: ['pipe', log, log] },
    );
    closeSync(log);
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    await this.#whenSeparate(pid);
    run(
      'ip',
      'link',
      'add',
      `host${this.#links}`,
      'master',
      'services',
      'type',
      'veth',
      'peer',
      link,
      'netns',
      String(pid),
    );
    run('ip', 'link', 'set', `host${this.#links}`, 'up');
    child.stdin?.end('go\n');
    return { service, pid, process: child, logFile: join(this.#directory, `${service.name}.log`) };
  }

  /** The service's own health check, inside of its container. */
  async isHealthy({ service, pid, process: { exitCode } }: Container): Promise<boolean> {
    if (exitCode !== null) return false;
    const [kind, ...words] = service.healthcheck ?? [];
    if (kind !== 'CMD') throw new Error(`${service.name} has a health check of kind ${String(kind)}`);
    const image = this.#imageOf(service);
    const environment = Object.entries({ ...image.environment, ...service.environment });
    const { error } = await runProgram(
      'nsenter',
      [`--target=${pid}`, '--net', '--mount', '--root', '--wd', '--', 'env', '-i']
        .concat(environment.map(([name, value]) => `${name}=${value}`))
        .concat(words),
      { deadlineMs: HEALTH_MS },
    );
    return error === null;
  }

  /** SIGTERM, then SIGKILL, as `docker stop` does. Resolves with the exit code or the signal. */
  async stop({ process: child }: Container): Promise<string> {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const isEnded = await Promise.race([ended.then(() => true), delay(STOP_MS, false, { ref: false })]);
      if (!isEnded) child.kill('SIGKILL');
      await ended;
    }
    return String(child.exitCode ?? child.signalCode);
  }

  logOf(name: string): string {
    const file = join(this.#directory, `${name}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  #imageOf({ name, image }: Service): Image {
    const repository = image.replace(/:[^:/]*$/, '');
    const found = this.#images.get(repository);
    if (found === undefined) throw new Error(`no program stands in for ${repository}, the image of ${name}`);
    return found;
  }

  async #whenSeparate(pid: number): Promise<void> {
    const own = readlinkSync('/proc/self/ns/net');
    while (readlinkSync(`/proc/${pid}/ns/net`) === own) await delay(5);
  }

  /** A folder with what the container sees; its mounts are made by itself. */
  #rootOf(service: Service, image: Image): string {
    const root = join(this.#directory, 'roots', service.name);
    if (existsSync(root)) return root;
    mkdirSync(root, { recursive: true });
    for (const name of SYSTEM) {
      if (!existsSync(`/${name}`)) continue;
      if (lstatSync(`/${name}`).isSymbolicLink()) symlinkSync(readlinkSync(`/${name}`), join(root, name));
      else this.#mount(root, `/${name}`, `/${name}`, true);
    }
    cpSync('/etc', join(root, 'etc'), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !/shadow/.test(path),
    });
    writeFileSync(join(root, 'etc', 'hosts'), readFileSync(this.#hosts));
    rmSync(join(root, 'etc', 'resolv.conf'), { force: true });
    writeFileSync(join(root, 'etc', 'resolv.conf'), `nameserver ${GATEWAY}\n`);
    for (const name of ['proc', 'dev', 'tmp', 'var', 'run']) mkdirSync(join(root, name));
    chmodSync(join(root, 'tmp'), 0o1777);
    for (const [target, source] of Object.entries(image.files)) this.#mount(root, source, target, true);
    for (const { source, target, readOnly } of service.volumes)
      this.#mount(root, this.#volume(source, image), target, readOnly);
    return root;
  }

  #volume(source: string, image: Image): string {
    if (source.startsWith('.')) return resolve(ROOT, source);
    const folder = join(this.#directory, 'volumes', source);
    mkdirSync(folder, { recursive: true });
    // A new volume belongs to whom the image gives its folder.
    if (image.user !== undefined) chownSync(folder, Number(image.user), Number(image.user));
    return folder;
  }

  #mount(root: string, source: string, target: string, readOnly: boolean): void {
    const place = join(root, target);
    mkdirSync(dirname(place), { recursive: true });
    if (lstatSync(source).isDirectory()) mkdirSync(place, { recursive: true });
    else writeFileSync(place, '');
    const line = `${source} ${target} ${readOnly ? 'ro' : 'rw'}\n`;
    writeFileSync(join(this.#directory, 'roots', `${root.split('/').at(-1) ?? ''}.mounts`), line, { flag: 'a' });
  }
}

/** Runs in the container's namespaces: waits for its end of the network, mounts, and becomes the program. */
const CONTAINER = `
root=$1 name=$2 link=$3 address=$4 gateway=$5 mode=$6 user=$7 folder=$8
shift 8
read -r go
hostname "$name"
ip link set lo up
ip link set "$link" name eth0
ip address add "$address/24" dev eth0
ip link set eth0 up
ip route add default via "$gateway"
mount --make-rprivate /
mount --bind "$root" "$root"
while read -r source target how; do
  mount --rbind "$source" "$root$target"
  if [ "$how" = ro ]; then mount -o remount,bind,ro "$root$target"; fi
done < "$root.mounts"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
if [ "$mode" = ro ]; then mount -o remount,bind,ro "$root"; fi
exec chroot "$root" /usr/bin/env -i --chdir="$folder" sh -c '
  user=$1; shift
  while [ "$1" != -- ]; do export "$1"; shift; done
  shift
  exec setpriv --reuid="$user" --regid="$user" --clear-groups "$@"
' start "$user" "$@" < /dev/null
`;

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}
