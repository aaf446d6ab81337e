/** The ports of one embedded stack, and which ones it prefers. */
import { foreignSocketPorts, OBJECT_STORE_PORTS } from './object-store.ts';
import { choosePorts, type PortWish } from './free-ports.ts';

const STACK_PORTS = ['temporal', 'temporalUi', 'sqs', ...OBJECT_STORE_PORTS] as const;
export type StackPorts = Readonly<Record<(typeof STACK_PORTS)[number], number>>;

/** Ports a person may fix. */
export type FixedPorts = Readonly<Partial<Record<'temporal' | 'temporalUi' | 's3' | 'sqs', number>>>;

/** Temporal's tools look at 7233 by default, people at 8233; the others are the programs' own usual ports. */
const USUAL: Readonly<Partial<Record<(typeof STACK_PORTS)[number], number>>> = {
  temporal: 7233,
  temporalUi: 8233,
  s3: 8333,
  sqs: 9324,
};

/** In this order, as far as free: ports of the last start, usual ports, any port. Fixed ports, or an error. */
export async function chooseStackPorts(
  remembered: Readonly<Record<string, number>>,
  fixed: FixedPorts,
): Promise<StackPorts> {
  const wishes = Object.fromEntries(
    STACK_PORTS.map((name): [string, PortWish] => [
      name,
      { required: (fixed as Record<string, number | undefined>)[name], preferred: remembered[name] ?? USUAL[name] },
    ]),
  );
  return choosePorts(wishes as Record<(typeof STACK_PORTS)[number], PortWish>, await foreignSocketPorts());
}
