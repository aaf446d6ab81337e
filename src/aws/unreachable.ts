/** A service that gives no answer at all: which one it is, where, and which setting says so. */
import { UnreachableError } from '../ports.ts';

/** A service as people know it. */
export interface NamedService {
  /** `the object store` */
  readonly name: string;
  /** `http://127.0.0.1:8333`, or the region of AWS. */
  readonly place: string;
  /** Environment variable that names the place. */
  readonly setting: string;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'it ended the connection',
  EHOSTDOWN: 'no way to the machine',
  EHOSTUNREACH: 'no way to the machine',
  ENETDOWN: 'no way to the network',
  ENETUNREACH: 'no way to the network',
  EPIPE: 'it ended the connection',
  ENOTFOUND: 'no machine has that name',
  EAI_AGAIN: 'its name could not be looked up',
  ETIMEDOUT: 'no answer in time',
};

/** The error with the service's name in it; what the service itself answered, and what is not known, is left as it is. */
export function namedIfUnreachable(error: unknown, { name, place, setting }: NamedService): unknown {
  const reason = reasonOf(error);
  if (reason === undefined) return error;
  return new UnreachableError(`${name} at ${place} (${setting}) does not answer: ${reason}`, setting, { cause: error });
}

function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // Of the SDK's connections. That of a signal of ours is a DOMException, and says nothing of the service.
  if (error.name === 'TimeoutError' && !(error instanceof DOMException)) return REASONS['ETIMEDOUT'];
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && Object.hasOwn(REASONS, code) ? REASONS[code] : undefined;
}
