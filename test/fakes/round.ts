/** One round of continuous aggregation, stage by stage. */
import type { RoundPlan } from '../../src/activities/rounds.ts';
import { roundName } from '../../src/pipeline/dataset/entry-name.ts';
import type { RunRef } from '../../src/pipeline/run-ref.ts';
import { roundRun } from '../../src/state/keys.ts';
import type { Application } from './application.ts';
import { runId } from './day-run.ts';
import { DONE_QUEUE } from './names.ts';

export class Round {
  readonly app: Application;
  readonly run: RunRef;
  readonly instant: string;

  constructor(app: Application, number: number) {
    this.app = app;
    this.instant = `20131030T${String(number).padStart(6, '0')}.000Z`;
    this.run = roundRun(this.instant, runId(900 + number));
  }

  async collect(results = 1000): Promise<number> {
    const input = { doneQueue: DONE_QUEUE, results, maxSeconds: 60 };
    return (await this.app.run('collectWaiting', input)).waiting;
  }

  plan(results = 1000): Promise<RoundPlan> {
    return this.app.run('planRound', { run: this.run, instant: this.instant, results });
  }

  async contribute({ plan }: RoundPlan): Promise<void> {
    const { tasks, chunkTasks } = plan;
    const chunks = [];
    for (let chunk = 1; chunk <= Math.ceil(tasks / chunkTasks); chunk += 1) {
      chunks.push((await this.app.run('mergeChunk', { run: this.run, chunk, tasks, chunkTasks })).ref);
    }
    await this.app.run('buildContribution', { run: this.run, day: roundName(this.instant), tasks, chunks });
  }

  async publish(attempt = 1): Promise<string> {
    const publication = { run: this.run, attempt, commit: `commit-${this.run.runId}-${attempt}` };
    const { decision, snapshots } = await this.app.run('planPublication', publication);
    if (decision !== 'publish') return decision;
    for (let index = 0; index < snapshots; index += 1) await this.app.run('stageSnapshot', { ...publication, index });
    return (await this.app.run('commitDataset', publication)).outcome;
  }

  async settle(): Promise<void> {
    await this.app.run('settleRound', { run: this.run });
  }

  async whole(): Promise<string> {
    const plan = await this.plan();
    await this.contribute(plan);
    const outcome = await this.publish();
    if (outcome === 'committed') await this.settle();
    return outcome;
  }
}
