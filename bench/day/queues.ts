/** fauxqs as a process of its own, so that its work is not that of who is measured. */
import { choosePorts } from '../../local/stack/free-ports.ts';
import { startEmbeddedSqs } from '../../local/stack/sqs.ts';
import { tellParent } from './service.ts';

const { sqs } = await choosePorts({ sqs: {} });
const { endpoint } = await startEmbeddedSqs(sqs, 'us-west-2');
tellParent(endpoint);
