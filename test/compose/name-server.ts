/** What Docker's own name server does for a compose file: the names of its services, for programs that ask a name server. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const PORT = 53;
const HEADER_BYTES = 12;
/** The length and type of a label come before it; the class and type of a question after its name. */
const QUESTION_END_BYTES = 4;
const ADDRESS = 1;
const TTL_SECONDS = 5;
const NO_SUCH_NAME = 3;

/** @param addresses IPv4, by name */
export async function startNameServer(address: string, addresses: ReadonlyMap<string, string>): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address: from }) => {
    socket.send(answerTo(query, addresses), port, from);
  });
  socket.bind(PORT, address);
  await once(socket, 'listening');
  return socket;
}

function answerTo(query: Buffer, addresses: ReadonlyMap<string, string>): Buffer {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(HEADER_BYTES, at + 1 + QUESTION_END_BYTES);
  const found = addresses.get(labels.join('.'));
  const answer = found !== undefined && type === ADDRESS ? record(found) : Buffer.alloc(0);
  const header = Buffer.alloc(HEADER_BYTES);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8580 | (found === undefined ? NO_SUCH_NAME : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answer.length === 0 ? 0 : 1, 6);
  return Buffer.concat([header, question, answer]);
}

/** An A record whose name is that of the question. */
function record(address: string): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  bytes.writeUInt16BE(ADDRESS, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt32BE(TTL_SECONDS, 6);
  bytes.writeUInt16BE(4, 10);
  address.split('.').forEach((part, index) => bytes.writeUInt8(Number(part), 12 + index));
  return bytes;
}
