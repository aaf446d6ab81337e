/**
 * The recorded histories hold nothing that only the deployment should know (docs/security.md T15); whoever records one
 * runs this.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const FOLDER = new URL('../histories/', import.meta.url);
const BASE64 = /"data":\s*"([A-Za-z0-9+/=]+)"/g;

/** What a credential looks like, wherever it stands. */
const CREDENTIALS: readonly [what: string, pattern: RegExp][] = [
  ['an AWS key id', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['a signed URL', /X-Amz-(?:Signature|Credential|Security-Token)/i],
  ['a URL with a password', /\b[a-z][a-z0-9+.-]*:\/\/[^\s/@"\\:]+:[^\s/@"\\]+@/i],
  ['a URL with a query', /\bhttps?:\/\/[^\s"'\\]+\?[^\s"'\\]/i],
  ['an authorization header', /\b(?:Bearer|Basic|AWS4-HMAC-SHA256) [A-Za-z0-9+/=._-]{8,}/],
  ['a named secret', /\b(?:password|passwd|secret|api_?key|token)\b["']?\s*[:=]\s*["'][^"']{4,}/i],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a mail address of somebody', /\b[\w.+-]+@(?!example\.(?:org|com)\b|localhost\b)[\w-]+\.[a-z]{2,}\b/i],
];

/** The history as text, its payloads decoded. */
function readable(text: string): string {
  const payloads = [...text.matchAll(BASE64)].map(([, data]) => Buffer.from(data ?? '', 'base64').toString('utf8'));
  return [text, ...payloads].join('\n');
}

function found(text: string): string[] {
  return CREDENTIALS.filter(([, pattern]) => pattern.test(text)).map(([what]) => what);
}

describe('recorded histories', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

  it('are there', () => {
    assert.ok(names.length >= 20, names.join());
  });

  for (const name of names) {
    it(`T15: ${name} has no credential and no address of a person`, () => {
      assert.deepEqual(found(readable(readFileSync(new URL(name, FOLDER), 'utf8'))), []);
    });
  }

  const canaries: readonly [what: string, text: string][] = [
    ['an AWS key id', 'key AKIAIOSFODNN7EXAMPLE used'],
    ['a signed URL', 'https://b/k?X-Amz-Signature=1'],
    ['a URL with a password', 'smtp://user:hunter22@mail'],
    ['an authorization header', 'authorization: Bearer abcdefgh12'],
    ['a named secret', '{"password": "hunter22"}'],
    ['a mail address of somebody', 'ask jane@corp.net'],
  ];
  for (const [what, text] of canaries) {
    it(`${what} would be seen, also in a payload`, () => {
      assert.ok(found(text).includes(what));
      assert.ok(found(readable(`{"data":"${Buffer.from(text).toString('base64')}"}`)).includes(what));
    });
  }
});
