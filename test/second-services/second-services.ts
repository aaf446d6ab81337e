/** The second implementations of S3 and SQS that the tests run on: versitygw and ElasticMQ. */
import { resolve } from 'node:path';
import type { StackServices } from '../../local/stack/services.ts';
import { findElasticmq, startElasticmq } from './elasticmq.ts';
import { findVersitygw, startVersitygw } from './versitygw.ts';

const CACHE = resolve('.local/cache/second-services');

/**
 * Resolves when both programs are in the cache.
 * @throws ToolMissingError; any other error says that a tool is there and did not do its work
 */
export async function secondServices(): Promise<StackServices> {
  // One after the other: beside a running test they would be in its way.
  const jars = await findElasticmq(CACHE);
  const versitygw = await findVersitygw(CACHE);
  return {
    startObjectStore: (place) => startVersitygw(versitygw, place),
    startSqs: (place) => startElasticmq(jars, place),
  };
}
