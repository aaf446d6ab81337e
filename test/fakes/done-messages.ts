/** The done queue's messages and the results they are about, with the keys of the deployment under test. */
import {
  decodeDoneMessage as decode,
  type DoneMessage,
  encodeDoneMessage as encode,
} from '../../src/pipeline/done-queue/done-message.ts';
import { stateKeys } from '../../src/state/keys.ts';

export const outputPrefix = stateKeys.output;
export const resultKey = stateKeys.result;

export function encodeDoneMessage(task: Parameters<typeof encode>[0], outcome: Parameters<typeof encode>[1]): string {
  return encode(task, outcome, stateKeys.output);
}

export function decodeDoneMessage(body: string): DoneMessage {
  return decode(body, stateKeys.output);
}
