/** The embedded stack as tests start it: on free ports, on the services that TELEMETRY_TEST_SERVICES chooses. */
import { binarySources } from '../../local/directories.ts';
import { choosePorts } from '../../local/stack/free-ports.ts';
import { type LocalStack, startLocalStack } from '../../local/stack/stack.ts';
import { SEARCH_ATTRIBUTES } from '../../src/names.ts';
import { secondServices } from '../second-services/second-services.ts';

export const binaries = binarySources();

/** True when the stack of this process is on versitygw and ElasticMQ instead of SeaweedFS and fauxqs. */
export const onSecondServices = servicesChosen(process.env['TELEMETRY_TEST_SERVICES']);

export async function startTestStack(directory: string): Promise<LocalStack> {
  return startLocalStack({
    directory,
    log: () => undefined,
    binaries,
    ...(onSecondServices && { services: secondServices }),
    // Two test files that start at the same moment would both wish for the usual ones.
    ports: await choosePorts({ temporal: {}, s3: {}, sqs: {} }),
    keywordAttributes: Object.keys(SEARCH_ATTRIBUTES),
    headless: true,
  });
}

function servicesChosen(value = 'embedded'): boolean {
  if (value !== 'embedded' && value !== 'second') {
    throw new Error(`TELEMETRY_TEST_SERVICES is ${value}; there are: embedded, second`);
  }
  return value === 'second';
}
