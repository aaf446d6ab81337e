/** Alerts to an SNS topic. */
import { GetTopicAttributesCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Alert } from '../alerts/alert.ts';
import type { AlertChannel } from '../ports.ts';
import type { AwsConnection } from './connection.ts';

/** SNS's limit for subjects; its messages may have 256 KiB, alerts have less. */
const MAX_SUBJECT = 100;

export function snsChannel({ region, endpoint }: AwsConnection, topicArn: string): AlertChannel {
  const client = new SNSClient({ region, ...(endpoint !== undefined && { endpoint }), maxAttempts: 3 });
  return {
    name: 'sns',
    async send({ subject, text }: Alert, _id: string, signal: AbortSignal): Promise<void> {
      const ascii = subject.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_SUBJECT);
      await client.send(new PublishCommand({ TopicArn: topicArn, Subject: ascii, Message: text }), {
        abortSignal: signal,
      });
    },
    async verify(): Promise<void> {
      await client.send(new GetTopicAttributesCommand({ TopicArn: topicArn }));
    },
    close(): void {
      client.destroy();
    },
  };
}
