/** Alerts as signed HTTP requests, for chat and paging services. */
import { createHmac } from 'node:crypto';
import type { Alert } from './alert.ts';
import type { AlertChannel } from '../ports.ts';

export interface WebhookSettings {
  readonly url: string;
  /** Key of the signature; without it requests are not signed. */
  readonly secret: string | undefined;
}

const TIMEOUT_MS = 20_000;

/**
 * POSTs `{id, kind, subject, text}`. `X-Telemetry-Signature: t=<unix seconds>,v1=<hex>` signs `<t>.<body>` by HMAC-SHA256,
 * so that a receiver can refuse forged and old requests; `Idempotency-Key` is the same for a repeated send.
 */
export function webhookChannel({ url, secret }: WebhookSettings): AlertChannel {
  return {
    name: 'webhook',
    async send({ kind, subject, text }: Alert, id: string, signal: AbortSignal): Promise<void> {
      const body = JSON.stringify({ id, kind, subject, text });
      const response = await fetch(url, {
        method: 'POST',
        body,
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        headers: {
          'content-type': 'application/json',
          'idempotency-key': `${id}/${kind}`,
          ...(secret !== undefined && { 'x-telemetry-signature': signature(secret, body) }),
        },
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`The webhook answered ${response.status}`);
    },
    async verify(): Promise<void> {
      // A test request would alert somebody.
    },
    close(): void {
      // Nothing is kept open.
    },
  };
}

function signature(secret: string, body: string, now = Date.now()): string {
  const time = Math.floor(now / 1000);
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;
}
