import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import * as workflows from '../../src/workflows/index.ts';
import { bundleWorkflows, installQuietRuntime } from '../fakes/temporal.ts';
import { readHistories } from './histories.ts';
import { SCENARIOS } from './scenarios.ts';

const histories = await readHistories();
const changedPath = fileURLToPath(new URL('./changed-workflows.ts', import.meta.url));

describe('deploying this code', () => {
  let workflowBundle: WorkflowBundle;
  before(async () => {
    installQuietRuntime();
    workflowBundle = await bundleWorkflows();
  });

  for (const { workflowId, history } of histories) {
    it(`does not break a workflow that is where ${workflowId} has been`, async () => {
      await Worker.runReplayHistory({ workflowBundle }, history, workflowId);
    });
  }
});

describe('the recorded histories', () => {
  for (const type of Object.keys(workflows)) {
    it(`have one for the workflow type ${type}`, () => {
      assert.ok(
        histories.some((recorded) => recorded.type === type),
        `no test/histories/${type}.<case>.v1.json: add a scenario and run test/replay/record.ts`,
      );
    });
  }

  for (const name of Object.keys(SCENARIOS)) {
    it(`have the case ${name}`, () => {
      assert.ok(histories.some(({ workflowId }) => workflowId.startsWith(`${name}.v`)));
    });
  }

  it('are of the workflow type that their names say', () => {
    for (const { workflowId, type, history } of histories) {
      const { events } = history as {
        events: { workflowExecutionStartedEventAttributes?: { workflowType: { name: string } } }[];
      };
      assert.equal(events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name, type, workflowId);
    }
  });
});

describe('replay of a workflow that was changed on purpose', () => {
  let workflowBundle: WorkflowBundle;
  before(async () => {
    workflowBundle = await bundleWorkflows({ path: changedPath });
  });

  for (const { workflowId, history } of histories) {
    it(`fails on ${workflowId}`, async () => {
      await assert.rejects(Worker.runReplayHistory({ workflowBundle }, history, workflowId), {
        name: 'DeterminismViolationError',
      });
    });
  }
});
