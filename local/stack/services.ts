/** Which servers speak S3 and SQS in an embedded stack. */
import { type BinarySources, findBinary } from './binaries.ts';
import { type ObjectStoreCredentials, startObjectStore } from './object-store.ts';
import { startEmbeddedSqs } from './sqs.ts';
import type { StackPorts } from './stack-ports.ts';

/** Where a server runs and what it must let in. */
export interface ServicePlace {
  /** The stack's folder. The command line of a server program must name it, so that a leftover is known by it. */
  readonly directory: string;
  /** Of the object store; is there, and is kept. */
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly pidFile: string;
  readonly ports: StackPorts;
  readonly region: string;
  readonly credentials: ObjectStoreCredentials;
  readonly log: (line: string) => void;
}

interface RunningService {
  stop(): Promise<void>;
}

/** Each resolves when its server answers on its port of the loopback interface. */
export interface StackServices {
  startObjectStore(place: ServicePlace): Promise<RunningService>;
  startSqs(place: ServicePlace): Promise<RunningService>;
}

/** SeaweedFS and fauxqs. */
export async function embeddedServices(sources: BinarySources, log: (line: string) => void): Promise<StackServices> {
  const executable = await findBinary('weed', sources, log);
  return {
    startObjectStore: (place) => startObjectStore({ ...place, executable }),
    startSqs: ({ ports, region }) => startEmbeddedSqs(ports.sqs, region),
  };
}
