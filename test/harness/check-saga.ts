import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { RegionActivities, RegionCall } from '../../activities/types.ts';
import { isReversible } from '../../src/domain/acts.ts';
import { type FailurePolicy, hasEnded, type JobView, type Settlement } from '../../src/domain/job.ts';
import { type OperationType, partsOf, plural } from '../../src/domain/kinds.ts';
import { asBefore, moveFor } from '../../src/domain/life.ts';
import type { Api } from './api.ts';
import type { TestPlatform } from './platform.ts';

/** Its worker is a process of its own, to be killed. */
export const fragileRegion = 'nrt-1';

/** How one saga is asked for, and what its steps call at the provider. */
export interface SagaCase {
  readonly type: OperationType;
  /** The body that creates a resource of this kind. */
  readonly body: (name: string, region: string) => object;
  /** Makes what it needs to be created. */
  readonly before?: (api: Api, name: string, region: string) => Promise<void>;
  /** Of an act: what it is asked with, and what has to be so before. */
  readonly act?: ActCase;
  /** With what, beside, a deletion is asked for. */
  readonly query?: Readonly<Record<string, string>>;
  /** Each step with the simulator's operation that it makes, if any, in order. */
  readonly steps: readonly SagaStep[];
}

interface SagaStep {
  readonly name: string;
  readonly operation?: string;
  /** What the operation is of, where that is not the resource itself. */
  readonly of?: (name: string) => string;
  /** Canceled from there on it is undone. */
  readonly stops?: true;
}

interface ActCase {
  /** The status in which it is asked for; `running` or `available` where it is left out. */
  readonly from?: string;
  readonly ask?: (name: string) => object;
  /** Brings what was created to where the act begins. */
  readonly prepare?: (api: Api, name: string, region: string) => Promise<void>;
  /** Takes away what keeps the resource from being deleted. */
  readonly release?: (api: Api, name: string) => Promise<void>;
}

const itself = (name: string): string => name;

type Given = {
  readonly platform: () => TestPlatform;
  readonly killRegionWorker: () => Promise<void>;
  readonly wraps: Wraps;
};

/** Runs activities as a bad day would: by the name of the resource, so that tests run side by side. */
export class Wraps {
  readonly #twice = new Set<string>();

  /** Every activity on this key or name runs twice, one after the other. */
  twice(name: string): void {
    this.#twice.add(name);
  }

  readonly wrap = (activities: RegionActivities): RegionActivities => {
    const wrapped = Object.entries(activities).map(
      ([activity, run]: [string, (call: RegionCall, ...rest: unknown[]) => Promise<unknown>]) => [
        activity,
        async (call: RegionCall, spec?: { name?: string }, ...rest: unknown[]) => {
          if (this.#twice.has(call.key) || this.#twice.has(spec?.name ?? '')) {
            if (spec?.name) this.#twice.add(call.key);
            await run(call, spec, ...rest);
          }
          return run(call, spec, ...rest);
        },
      ],
    );
    return Object.fromEntries(wrapped);
  };
}

/**
 * The suite that every saga passes: in the clear; failing at each step; each step and each undo run twice; canceled at
 * each step; its worker killed at each step. After each, database and provider hold exactly what they should.
 */
export function checkSaga(
  { type, body, before, act, query, steps }: SagaCase,
  { platform, killRegionWorker, wraps }: Given,
): void {
  const { kind, verb } = partsOf(type);
  const path = `/${plural[kind]}`;
  const move = moveFor(kind, verb);
  const from = act?.from ?? (kind === 'vm' ? 'running' : 'available');
  const done = move.done === asBefore ? from : move.done;
  const undoes = isReversible(type);
  /** Hosts are there before and after: what fails on one ends in the state that says so. */
  const isMetal = kind === 'bare-metal-host';
  const failed = move.failed === asBefore ? from : move.failed;
  const newName = (): string => `s-${randomUUID().slice(0, 8)}`;

  /** Brings about what the saga starts from, and gives how to ask for it. */
  async function arrange(region = 'tpe-1'): Promise<{ name: string; ask: () => Promise<string> }> {
    const name = newName();
    await begin(name, region);
    const ask = async (): Promise<string> => {
      const answer = await askFor(name, region);
      expect(answer.status).toBe(202);
      return answer.body.job.id;
    };
    return { name, ask };
  }

  /** What has to be there before the saga is asked for. */
  async function begin(name: string, region: string): Promise<void> {
    const { api, simulator } = platform();
    if (isMetal) await simulator.host(region, name);
    await before?.(api, name, region);
    if (verb === 'create') return;
    expect((await api.done('POST', path, body(name, region))).state).toBe('SUCCEEDED');
    await act?.prepare?.(api, name, region);
  }

  const askFor = (name: string, region: string, onFailure?: FailurePolicy) => {
    const { api } = platform();
    const how = onFailure ? { onFailure } : {};
    if (verb === 'create') return api.tenant('POST', path, { ...body(name, region), ...how });
    if (verb === 'delete') return api.tenant('DELETE', `${path}/${name}?${new URLSearchParams({ ...query, ...how })}`);
    return api.tenant('POST', `${path}/${name}/${verb}`, { ...act?.ask?.(name), ...how });
  };

  async function expectThere(name: string, there: boolean, status?: string): Promise<void> {
    const { api, simulator } = platform();
    const answer = await api.tenant('GET', `${path}/${name}`);
    expect(answer.status).toBe(there ? 200 : 404);
    if (there) expect(answer.body).toMatchObject({ currentJobId: null, ...(status ? { status } : {}) });
    const all = kind === 'cluster' ? await simulator.clusters() : await simulator.inventory();
    const found = all.filter((resource) => resource.name === name);
    expect(found).toHaveLength(there && !isMetal ? 1 : 0);
  }

  /** A job whose step fails for good, when it waits for a decision (or has ended, by `keep`). */
  async function arrangeHeld(
    { operation, of = itself }: SagaStep,
    onFailure: FailurePolicy = 'hold',
  ): Promise<{ name: string; job: JobView; mend: () => Promise<void> }> {
    const { api, simulator } = platform();
    const name = newName();
    await begin(name, 'tpe-1');
    const fault = await simulator.fault({ effect: 'permanent', operation, name: of(name) });
    const answer = await askFor(name, 'tpe-1', onFailure);
    const job = await api.jobWhen(answer.body.job.id, ({ state }) => hasEnded(state) || state === 'HELD');
    expect(job).toMatchObject({ state: onFailure === 'hold' ? 'HELD' : 'FAILED', rollback: 'none', onFailure });
    return { name, job, mend: () => simulator.removeFault(fault) };
  }

  const settled = (id: string, action: Settlement): Promise<JobView> => platform().api.settled(id, action);

  const expectDone = (name: string): Promise<void> =>
    verb === 'delete' ? expectThere(name, false) : expectThere(name, true, done);
  /** A create that does not come about leaves nothing; a delete that does not leaves what there was, to be deleted again. */
  const expectNotDone = (name: string): Promise<void> =>
    verb === 'create' ? expectThere(name, false) : expectThere(name, true, undoes ? from : failed);

  test.concurrent(`${type}: in the clear`, async () => {
    const { name, ask } = await arrange();
    const job = await platform().api.jobWhen(await ask());
    expect(job).toMatchObject({ state: 'SUCCEEDED', rollback: 'none', error: null });
    expect(job.steps.map((step) => [step.name, step.state])).toEqual(steps.map((step) => [step.name, 'SUCCEEDED']));
    await expectDone(name);
  });

  test.concurrent(`${type}: each step and each undo run twice`, async () => {
    const { name, ask } = await arrange();
    wraps.twice(name);
    await platform().api.jobWhen(await ask());
    await expectDone(name);
  });

  for (const step of steps) {
    const { name: stepName, operation, of = itself, stops = false } = step;
    if (operation === undefined) continue;
    const rollsBack = undoes || stops ? 'complete' : 'none';
    test.concurrent(`${type}: failing at ${stepName}`, async () => {
      const { name, ask } = await arrange();
      wraps.twice(name);
      // An act may be undone by another of its kind.
      const once = act ? { times: 1 } : {};
      const fault = await platform().simulator.fault({ effect: 'permanent', operation, name: of(name), ...once });
      const job = await platform().api.jobWhen(await ask(), ({ state }) => hasEnded(state) || state === 'HELD');
      const error = { providerClass: 'permanent' };
      if (undoes) {
        expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete', error });
        await expectNotDone(name);
      } else if (isMetal) {
        expect(job).toMatchObject({ state: 'FAILED', rollback: 'none', error, onFailure: 'keep' });
        await expectNotDone(name);
      } else {
        // What cannot be undone is held.
        expect(job).toMatchObject({ state: 'HELD', rollback: 'none', error, onFailure: 'hold' });
        await platform().simulator.removeFault(fault);
        expect(await settled(job.id, 'retry')).toMatchObject({ state: 'SUCCEEDED' });
        await expectDone(name);
      }
    });

    test.concurrent(`${type}: held at ${stepName}, then retried`, async () => {
      const { name, job, mend } = await arrangeHeld(step);
      await mend();
      expect(await settled(job.id, 'retry')).toMatchObject({ state: 'SUCCEEDED', rollback: 'none', error: null });
      await expectDone(name);
    });

    test.concurrent(`${type}: held at ${stepName}, its workflow gone, then retried`, async () => {
      const { name, job, mend } = await arrangeHeld(step);
      await platform().terminate(job.workflowId);
      await mend();
      expect(await settled(job.id, 'retry')).toMatchObject({ state: 'SUCCEEDED', rollback: 'none', error: null });
      await expectDone(name);
    });

    test.concurrent(`${type}: held at ${stepName}, then abandoned, kept or canceled, is what it is`, async () => {
      for (const end of ['abandon', 'keep', 'cancel'] as const) {
        const { name, job, mend } = await arrangeHeld(step, end === 'keep' ? 'keep' : 'hold');
        await mend();
        if (end === 'abandon') await settled(job.id, 'abandon');
        if (end === 'cancel') expect(await platform().api.canceled(job.id)).toMatchObject({ state: 'CANCELED' });
        const { api } = platform();
        if (end === 'cancel' && undoes) {
          await expectNotDone(name);
          continue;
        }
        expect(await api.job(job.id)).toMatchObject({ state: end === 'cancel' ? 'CANCELED' : 'FAILED' });
        expect((await api.tenant('GET', `${path}/${name}`)).body).toMatchObject({
          status: failed,
          currentJobId: null,
          statusReason: expect.any(String),
        });
        await act?.release?.(api, name);
        expect(await api.done('DELETE', `${path}/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
        await expectThere(name, false);
      }
    });

    test.concurrent(`${type}: its workflow terminated at ${stepName}`, async () => {
      const { name, ask } = await arrange();
      await platform().simulator.fault({ effect: 'hang', operation, name: of(name), times: 1 });
      const id = await ask();
      await platform().simulator.hit(of(name));
      await platform().terminate((await platform().api.job(id)).workflowId);
      expect(await platform().api.jobWhen(id)).toMatchObject({ state: 'SUCCEEDED', rollback: 'none' });
      await expectDone(name);
    });

    test.concurrent(`${type}: an answer lost at ${stepName}`, async () => {
      const { name, ask } = await arrange();
      await platform().simulator.fault({ effect: 'accept-then-drop', operation, name: of(name), times: 1 });
      const job = await platform().api.jobWhen(await ask());
      expect(job.state).toBe('SUCCEEDED');
      expect(job.steps).toContainEqual(expect.objectContaining({ name: stepName, attempts: 2 }));
      await expectDone(name);
    });

    test.concurrent(`${type}: canceled at ${stepName}`, async () => {
      const { name, ask } = await arrange();
      await platform().simulator.fault({ effect: 'hang', operation, name: of(name), times: 1 });
      const id = await ask();
      await platform().simulator.hit(of(name));
      await platform().cancel((await platform().api.job(id)).workflowId);
      const job: JobView = await platform().api.jobWhen(id);
      expect(job).toMatchObject({ state: 'CANCELED', rollback: rollsBack });
      await expectNotDone(name);
    });

    test.concurrent(`${type}: canceled by its owner at ${stepName}`, async () => {
      const { name, ask } = await arrange();
      await platform().simulator.fault({ effect: 'hang', operation, name: of(name), times: 1 });
      const id = await ask();
      await platform().simulator.hit(of(name));
      const job = await platform().api.canceled(id);
      expect(job).toMatchObject({
        state: 'CANCELED',
        rollback: rollsBack,
        error: { message: 'Canceled: the test wants it so' },
      });
      await expectNotDone(name);
    });

    test.concurrent(`${type}: its region worker killed at ${stepName}`, async () => {
      const { name, ask } = await arrange(fragileRegion);
      await platform().simulator.fault({ effect: 'hang', operation, name: of(name), times: 1 });
      const id = await ask();
      await platform().simulator.hit(of(name));
      await killRegionWorker();
      expect(await platform().api.jobWhen(id)).toMatchObject({ state: 'SUCCEEDED', rollback: 'none' });
      await expectDone(name);
    });
  }
}
