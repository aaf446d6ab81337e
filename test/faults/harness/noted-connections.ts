/**
 * Loaded before a program (`node --import`): whom it connects to, in all its threads, goes into the file `CONNECTIONS_LOG`,
 * `<host>:<port>` a line, and so do the names that it looks up. Temporal's core connects by itself and is not seen.
 */
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isIP, Socket } from 'node:net';

const file = process.env['CONNECTIONS_LOG'] ?? '';

function note(line: string): void {
  appendFileSync(file, `${line}\n`);
}

type Target = { readonly host?: string; readonly port?: number | string; readonly path?: string } | number | string;

Object.assign(Socket.prototype, {
  connect: new Proxy(Reflect.get(Socket.prototype, 'connect'), {
    apply: (connect, socket: Socket, args: readonly unknown[]) => {
      // Node's own callers pass the options inside an array.
      const [target] = args.flat() as [Target];
      note(typeof target === 'object' ? `${target.host ?? target.path}:${target.port}` : args.slice(0, 2).join(' '));
      return Reflect.apply(connect, socket, args) as Socket;
    },
  }),
});

dns.lookup = new Proxy(dns.lookup, {
  apply: (lookup, self, args: Parameters<typeof dns.lookup>) => {
    if (isIP(args[0]) === 0) note(`name ${args[0]}`);
    Reflect.apply(lookup, self, args);
  },
});
syncBuiltinESMExports();
