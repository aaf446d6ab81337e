/** How the AWS clients connect: endpoints, time-outs that abort, sockets of their own for each kind of traffic. */
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Config } from '../config.ts';

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
