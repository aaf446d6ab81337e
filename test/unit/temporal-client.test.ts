import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { CommandError } from '../../src/commands/command-error.ts';
import { serverFor } from '../../src/commands/temporal-client.ts';
import { useEnvironment } from '../../src/environment.ts';

beforeEach(() => {
  useEnvironment({ TEMPORAL_ADDRESS: '127.0.0.1:1', TEMPORAL_NAMESPACE: 'analyses' });
});
afterEach(() => {
  mock.timers.reset();
});

describe('the connection to Temporal', () => {
  it('is made once, when first asked for, with the settings of the CLI', async () => {
    const asked: (string | undefined)[] = [];
    let closed = 0;
    const server = await serverFor(async ({ address }) => {
      asked.push(address);
      return {
        close: async () => {
          closed += 1;
        },
      };
    });
    assert.deepEqual([server.address, server.namespace, asked], ['127.0.0.1:1', 'analyses', []]);
    assert.equal(await server.connection(), await server.connection());
    await server.close();
    assert.deepEqual([asked, closed], [['127.0.0.1:1'], 1]);
  });

  it('says where nobody answers, why, and what to do', async () => {
    const server = await serverFor(async () => Promise.reject(new Error('connection refused')));
    await assert.rejects(server.connection(), (error) => {
      assert.ok(error instanceof CommandError);
      assert.match(error.message, /^no Temporal server answers at 127\.0\.0\.1:1 \(connection refused\): start one/);
      assert.match(error.message, /TEMPORAL_ADDRESS$/);
      return true;
    });
    await server.close();
  });

  it('is not waited for any longer than some seconds', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const server = await serverFor(() => new Promise<never>(() => undefined));
    const waiting = server.connection();
    mock.timers.tick(11_000);
    await assert.rejects(waiting, /answers at 127\.0\.0\.1:1 \(no answer within 11 s\)/);
    await server.close();
  });

  it('needs no closing when nobody asked for it', async () => {
    const server = await serverFor(async () => Promise.reject(new Error('asked')));
    await server.close();
  });
});
