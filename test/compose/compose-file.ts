/** docker-compose.temporal.yml as Compose reads it without an `.env`. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';

export const ROOT = resolve(import.meta.dirname, '../..');

type Condition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

export interface Service {
  readonly name: string;
  readonly image: string;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** `source:target`, a path of the repository or the name of a volume. */
  readonly volumes: readonly { readonly source: string; readonly target: string; readonly readOnly: boolean }[];
  readonly healthcheck: readonly string[] | undefined;
  readonly dependsOn: Readonly<Record<string, Condition>>;
  readonly readOnly: boolean;
  /** Ends by itself, and is not started again when it ends well. */
  readonly isStep: boolean;
}

interface Written {
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: Condition }>>;
  readonly read_only?: boolean;
  readonly restart?: string;
}

/** In the order in which they may be started. */
export function readCompose(): readonly Service[] {
  const text = readFileSync(resolve(ROOT, 'docker-compose.temporal.yml'), 'utf8');
  const { services } = parse(text, { merge: true }) as { services: Readonly<Record<string, Written>> };
  return inOrder(Object.entries(services).map(([name, written]) => serviceOf(name, written)));
}

function serviceOf(name: string, written: Written): Service {
  return {
    name,
    image: interpolated(written.image),
    entrypoint: written.entrypoint?.map(interpolated),
    command: written.command?.map(interpolated),
    environment: Object.fromEntries(
      Object.entries(written.environment ?? {}).map(([key, value]) => [key, interpolated(value)]),
    ),
    volumes: (written.volumes ?? []).map((volume) => {
      const [source = '', target = '', mode] = volume.split(':');
      return { source, target, readOnly: mode === 'ro' };
    }),
    healthcheck: written.healthcheck?.test.map(interpolated),
    dependsOn: Object.fromEntries(
      Object.entries(written.depends_on ?? {}).map(([other, { condition }]) => [other, condition]),
    ),
    readOnly: written.read_only ?? false,
    isStep: written.restart !== 'unless-stopped',
  };
}

/** `${NAME:-default}` is the default, `$$` a dollar sign. */
export function interpolated(value: string): string {
  return value.replaceAll(/\$\$|\$\{[A-Z0-9_]+:-([^}]*)\}/g, (found, fallback: string | undefined) =>
    found === '$$' ? '$' : (fallback ?? ''),
  );
}

function inOrder(services: readonly Service[]): readonly Service[] {
  const ordered: Service[] = [];
  const add = (service: Service): void => {
    if (ordered.includes(service)) return;
    for (const name of Object.keys(service.dependsOn)) {
      const needed = services.find((other) => other.name === name);
      if (needed === undefined) throw new Error(`${service.name} depends on ${name}, which is no service`);
      add(needed);
    }
    ordered.push(service);
  };
  services.forEach(add);
  return ordered;
}
