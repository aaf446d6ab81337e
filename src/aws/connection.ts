/** How the AWS clients connect: endpoints, time-outs that abort, sockets of their own for each kind of traffic. */
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Config } from '../config.ts';
import { namedIfUnreachable, type NamedService } from './unreachable.ts';

export interface AwsConnection {
  readonly region: string;
  /** Endpoint other than AWS's own; undefined for AWS. */
  readonly endpoint?: string | undefined;
  /** Default: the SDK's own chain of credentials. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export function s3Connection(config: Config): AwsConnection {
  return { region: config.AWS_REGION, endpoint: config.AWS_ENDPOINT_URL_S3 };
}

export function sqsConnection(config: Config): AwsConnection {
  return { region: config.AWS_REGION, endpoint: config.AWS_ENDPOINT_URL_SQS };
}

/**
 * @param requestSeconds time-out of one request, which must be longer than a long poll
 */
export function clientOptions(connection: AwsConnection, requestSeconds: number, maxSockets: number) {
  const agent = { keepAlive: true, maxSockets };
  return {
    region: connection.region,
    ...(connection.endpoint !== undefined && { endpoint: connection.endpoint }),
    ...(connection.credentials !== undefined && { credentials: connection.credentials }),
    requestHandler: new NodeHttpHandler({
      connectionTimeout: 5_000,
      requestTimeout: requestSeconds * 1000,
      // Without it the SDK only warns and the call never ends.
      throwOnRequestTimeout: true,
      // That one ends with the head of an answer; a body that stops coming is given up by this one.
      socketTimeout: requestSeconds * 1000,
      httpAgent: new HttpAgent(agent),
      httpsAgent: new HttpsAgent(agent),
    }),
  };
}

/** Where `namingService` belongs in a client: around its own tries, so that the last of them is named. */
export const AROUND_TRIES = { step: 'initialize', priority: 'high' } as const;

/** Middleware that says which service gave no answer. */
export function namingService(
  service: Pick<NamedService, 'name' | 'setting'>,
  { endpoint, region }: AwsConnection,
): <Args, Output>(next: (args: Args) => Promise<Output>) => (args: Args) => Promise<Output> {
  const own = endpoint === undefined ? undefined : URL.parse(endpoint)?.origin;
  const named =
    own === undefined
      ? { name: service.name, place: `AWS in ${region}`, setting: 'AWS_REGION' }
      : { ...service, place: own };
  return (next) => async (args) => {
    try {
      return await next(args);
    } catch (error) {
      throw namedIfUnreachable(error, named);
    }
  };
}
