/** Alerts by mail. */
import { createHash } from 'node:crypto';
import type { Alert } from './alert.ts';
import type { AlertChannel } from '../ports.ts';

export interface SmtpSettings {
  /** `smtp://user:password@host:587` or `smtps://…`; with STARTTLS where the server offers it. */
  readonly url: string;
  readonly from: string;
  readonly to: readonly string[];
}

const TIMEOUT_MS = 20_000;

export function smtpChannel({ url, from, to }: SmtpSettings): AlertChannel {
  let opened: ReturnType<typeof openTransport> | undefined;
  const transport = () => (opened ??= openTransport(url));
  return {
    name: 'smtp',
    async send({ subject, text, kind }: Alert, id: string): Promise<void> {
      const answer = await (
        await transport()
      ).sendMail({
        from,
        to: [...to],
        subject,
        text,
        // The same for a repeated send, so that a mailbox can recognise it.
        messageId: `<${createHash('sha256').update(`${id}/${kind}`).digest('hex').slice(0, 32)}@telemetry-dashboard>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      const refused = answer.rejected.map(String);
      if (refused.length > 0) throw new Error(`The mail server refused the recipients ${refused.join(', ')}`);
    },
    async verify(): Promise<void> {
      await (await transport()).verify();
    },
    close(): void {
      void opened?.then((open) => {
        open.close();
      });
    },
  };
}

/** Loaded with the first mail: most commands that know the channels send none. */
async function openTransport(url: string) {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    url,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
