import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { choosePorts, LOOPBACK, PortTakenError } from '../../local/stack/free-ports.ts';

async function withTakenPort(test: (port: number) => Promise<void>): Promise<void> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, 'listening');
  try {
    await test((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

describe('choosePorts', () => {
  it('gives every wish a port of its own', async () => {
    const chosen = await choosePorts({ a: {}, b: {}, c: {}, d: {} });
    assert.equal(new Set(Object.values(chosen)).size, 4);
  });

  it('takes the preferred port when it is free, so that a second start keeps its addresses', async () => {
    const { first } = await choosePorts({ first: {} });
    assert.deepEqual(await choosePorts({ first: { preferred: first } }), { first });
  });

  it('chooses none that systems give to outgoing connections, so that none is lost before the server has started', async () => {
    const wishes = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`port${index}`, {}]));
    for (const port of Object.values(await choosePorts(wishes))) assert.ok(port >= 12_000 && port < 32_000, `${port}`);
  });

  it('takes another port when the preferred one cannot be used, and a required one all the same', async () => {
    const { first } = await choosePorts({ first: {} });
    const unusable = new Set([first]);
    assert.notEqual((await choosePorts({ first: { preferred: first } }, unusable)).first, first);
    assert.equal((await choosePorts({ first: { required: first } }, unusable)).first, first);
  });

  it('takes another port when the preferred one is in use', async () => {
    await withTakenPort(async (port) => {
      const { one } = await choosePorts({ one: { preferred: port } });
      assert.notEqual(one, port);
    });
  });

  it('refuses when a required port is in use, and says which', async () => {
    await withTakenPort(async (port) => {
      await assert.rejects(choosePorts({ s3: { required: port } }), (error: Error) => {
        assert.ok(error instanceof PortTakenError);
        assert.match(error.message, new RegExp(`port ${port} \\(s3\\) is in use`));
        return true;
      });
    });
  });

  it('never gives one number to two wishes that prefer it', async () => {
    const { port } = await choosePorts({ port: {} });
    const { a, b } = await choosePorts({ a: { preferred: port }, b: { required: port } });
    assert.equal(b, port);
    assert.notEqual(a, port);
  });
});
