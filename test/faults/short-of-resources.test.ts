/** A worker whose disk is full. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe } from 'node:test';
import { promisify } from 'node:util';
import { faultTest } from './harness/fault-test.ts';
import { judge } from './harness/oracle.ts';
import { faultStage } from './harness/stage.ts';

const run = promisify(execFile);
const DAY = '20131029';

describe('F20: short of resources', { concurrency: 3 }, () => {
  const stage = faultStage();

  faultTest(stage, {
    id: 'F20',
    title: 'the disk is full: the failure says so, nothing half is uploaded, another worker goes on',
    injected: 'work folder on a file system of 16 KiB',
    story: async (scene) => {
      await scene.storeDay(DAY, 24);
      const small = join(scene.directory, 'small');
      await mkdir(small);
      await run('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', small]);
      try {
        scene.watchPublished();
        const worker = scene.startWorker({ TELEMETRY_WORK_DIRECTORY: small });
        const day = await scene.startDay(DAY);
        const errors = await scene.until('a full disk', async () =>
          (await scene.logs()).split('ENOSPC').length > 3 ? (await scene.logs()).split('ENOSPC').length - 1 : undefined,
        );
        await scene.end(worker, 'SIGTERM');
        assert.deepEqual(await readdir(small), [], 'temporary folders that were left');
        scene.startWorker();
        const result = await day.result();
        assert.equal(result.done, 12);
        await judge(scene, { seq: 1, results: [result] });
        return { times: errors, seen: 'ENOSPC named in the log, no folder left, the day whole' };
      } finally {
        await run('umount', ['-l', small]);
      }
    },
    twin: { without: 'leftWorkFolder', fails: /temporary folders that were left/ },
  });

  faultTest(stage, {
    id: 'F20',
    title: 'no file descriptors are left: the worker fails, another one goes on',
    injected: 'ulimit -n 64',
    // A merge fetches 16 results at once, each by a socket into a file.
    scene: { settings: { TELEMETRY_CHUNK_TASKS: '24' } },
    story: async (scene) => {
      await scene.storeDay(DAY, 48);
      // So that all of them are open at once, however fast the machine is.
      scene.s3.add({ name: 'slow results', method: 'GET', key: /result\.txt/, fault: { kind: 'latency', ms: 1000 } });
      const short = scene.startWorker({ MAX_OPEN_FILES: '64' });
      const day = await scene.startDay(DAY);
      // Node.js itself ends the process when it has none left for the watchdog of a workflow's code.
      const trouble = await scene.until('trouble', async () => {
        if (short.signalCode !== null) return short.signalCode;
        return /EMFILE|too many open files/i.exec(await scene.logs())?.[0];
      });
      await scene.end(short, 'SIGKILL');
      scene.startWorker();
      const result = await day.result();
      assert.equal(result.done, 24);
      await judge(scene, { seq: 1, results: [result] });
      return { times: 1, seen: `the worker failed (${trouble}), the day whole` };
    },
  });
});
