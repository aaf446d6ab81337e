/** Bodies of done messages that no run can use. */

/** As the queues carry JSON. */
export function base64(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');
}

export const STRANGER = '00000000-0000-4000-8000-000000000000/1';

/** Nothing of them can be used, whichever run is going. */
export const JUNK: readonly (readonly [body: string, reason: string])[] = [
  [' ', 'not_base64'],
  ['§', 'not_base64'],
  ['{"id":', 'bad_json'],
  [base64('{"id":'), 'bad_json'],
  [base64('[]'), 'bad_json'],
  [base64('null'), 'bad_json'],
  [base64({}), 'bad_message'],
  [base64({ id: 7, files: [], 'target-prefix': null }), 'bad_message'],
  [base64({ id: STRANGER, files: 'a', 'target-prefix': null }), 'bad_message'],
  [base64({ id: '../../versions.json', files: [], 'target-prefix': null }), 'bad_message'],
  [base64({ id: STRANGER, files: [], 'target-prefix': `output/${STRANGER}/` }), 'unknown_run'],
  [base64({ id: STRANGER, files: [], 'target-prefix': null }), 'unknown_run'],
  ['A'.repeat(1 << 20), 'bad_json'],
];
