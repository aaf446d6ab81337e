/** A real SMTP server on loopback that keeps the mails it gets. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ParsedMail, simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';

type Refusal = (username: string, password: string) => string;

export class MailSink {
  readonly mails: ParsedMail[] = [];
  /** Log-ins that were refused. */
  refused = 0;
  readonly #server: SMTPServer;

  private constructor(refusal: Refusal | undefined) {
    this.#server = new SMTPServer({
      authOptional: true,
      hideSTARTTLS: true,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) => {
        if (refusal === undefined) {
          done(null, { user: username ?? '' });
          return;
        }
        this.refused += 1;
        done(new Error(refusal(username ?? '', password ?? '')));
      },
      onData: (stream, _session, done) => {
        simpleParser(stream).then((mail) => {
          this.mails.push(mail);
          done();
        }, done);
      },
    });
  }

  /** @param refusal what it says to whoever logs in; absent: everybody may */
  static async start(refusal?: Refusal): Promise<MailSink> {
    const sink = new MailSink(refusal);
    const listener = sink.#server.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return sink;
  }

  get url(): string {
    return `smtp://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}
