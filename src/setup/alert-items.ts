/** Whether alerts would reach anybody. Channels are checked without sending anything, unless a test alert is wanted. */
import { hostname } from 'node:os';
import type { Alert } from '../alerts/alert.ts';
import { plainText } from '../pipeline/plain-text.ts';
import type { AlertChannel } from '../ports.ts';
import { errorText } from './run-items.ts';
import { type Look, ok, type SetupItem } from './item.ts';

export interface AlertChecks {
  readonly channels: readonly AlertChannel[];
  /** Really send an alert that says it is a test. */
  readonly sendTest: boolean;
  /** Values that must appear in no output. */
  readonly secrets: readonly string[];
}

/** One item for each channel; a warning when there is none. */
export function alertItems({ channels, sendTest, secrets }: AlertChecks): SetupItem[] {
  if (channels.length === 0) return [{ name: 'alerts', look: async () => NO_CHANNEL }];
  return channels.map((channel) => ({
    name: `alerts by ${channel.name}`,
    look: async (signal) => {
      try {
        await channel.verify();
        if (!sendTest) return ok(`${channel.name} would take an alert; --send-test-alert sends one`, OWN_SETTINGS);
        await channel.send(testAlert(), `setup-test-${new Date().toISOString()}`, signal);
        return ok('a test alert was sent: see whether it arrived', OWN_SETTINGS);
      } catch (error) {
        throw new Error(plainText(errorText(error), secrets), { cause: error });
      }
    },
  }));
}

/** Nothing tells this process what others were started with. */
const OWN_SETTINGS =
  'by the settings of this command; "telemetry worker", which sends alerts, has those that it was started with';

const NO_CHANNEL: Look = {
  state: 'warning',
  facts: [
    `nobody would hear of a failed run, ${OWN_SETTINGS}: set TELEMETRY_ALERT_SMTP_URL, _WEBHOOK_URL or _SNS_TOPIC there`,
  ],
};

function testAlert(): Alert {
  return {
    kind: 'warnings',
    subject: '[setup] test alert',
    text: `Test alert, sent by "telemetry setup --send-test-alert" on ${hostname()} at ${new Date().toISOString()}.\nNothing is wrong; alerts of this deployment reach you.\n`,
  };
}
