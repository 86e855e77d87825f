import { setTimeout as pause } from 'node:timers/promises';
import { hasEnded, type JobView, type Settlement } from '../../src/domain/job.ts';
import { type Asked, type Auditor, unknown } from './auditor.ts';
import type { Act } from './script.ts';
import type { Tenant } from './tenant.ts';
import type { World } from './world.ts';

/** Does what a script says, each act at its time, and waits for the answers of all. */
export async function perform(script: readonly Act[], world: World, auditor: Auditor): Promise<void> {
  const begun = performance.now();
  const underWay: Promise<void>[] = [];
  for (const act of script) {
    await pause(Math.max(0, act.atMs - (performance.now() - begun)));
    underWay.push(doOne(act, world, auditor));
  }
  await Promise.all(underWay);
}

async function doOne(act: Act, world: World, auditor: Auditor): Promise<void> {
  switch (act.act) {
    case 'ask':
      return await send(auditor.begin(tenantBy(act.tenant, world), act.request), auditor);
    case 'again': {
      const keyed = auditor.asked.filter(({ request }) => request.key !== undefined);
      const asked = chosen(keyed, act.which);
      if (asked) await Promise.all(Array.from({ length: act.times }, () => send(asked, auditor)));
      return;
    }
    case 'cancel': {
      const job = chosen(await jobs(world, ''), act.which);
      if (job) await Promise.all(Array.from({ length: act.times }, () => cancel(job, world, auditor)));
      return;
    }
    case 'settle': {
      const job = chosen(await jobs(world, 'state=HELD'), act.which);
      if (job) await settleBy(job, act.choices, world, auditor);
      return;
    }
    case 'peek': {
      const job = chosen(await jobs(world, ''), act.which);
      if (job) await peek(job, act.tenant, world, auditor);
      return;
    }
    case 'fault':
      return await fault(act, world, auditor);
    case 'kill':
      auditor.note(`kill ${act.role}`);
      if (act.role === 'simulator') await readCalls(world, auditor);
      world.kill(act.role);
      return;
    case 'freeze':
      auditor.note(`freeze ${act.role} for ${act.seconds} s`);
      return await world.freeze(act.role, act.seconds);
    case 'keep-away':
      return await keepAway(act.role, act.seconds, world, auditor);
    case 'clock':
      auditor.note(`the clock of ${act.role} is off by ${act.offSeconds} s for ${act.seconds} s`);
      world.moveClock(act.role, act.offSeconds);
      await pause(act.seconds * 1000);
      world.moveClock(act.role, 0);
      return;
    case 'terminate': {
      const job = chosen(await jobs(world, ''), act.which);
      if (!job) return;
      auditor.note(`terminate ${job.workflowId} of job ${job.id} (${job.state})`);
      await world.temporal.workflow
        .getHandle(job.workflowId)
        .terminate('chaos')
        .catch((error: unknown) => auditor.note(`could not terminate it: ${error}`));
      return;
    }
    default:
      return act satisfies never;
  }
}

/** By a number that was drawn before it was known how many there are. */
const chosen = <Item>(items: readonly Item[], which: number): Item | undefined => items[which % items.length];

async function send(asked: Asked, auditor: Auditor): Promise<void> {
  const { method, path, body, key } = asked.request;
  auditor.answered(asked, await asked.tenant.ask(method, path, body, key));
}

/** The jobs that have not ended (a few that have, among them), or none where nobody answers. */
async function jobs(world: World, filter: string): Promise<readonly JobView[]> {
  const pages = await Promise.all(world.tenants.map((tenant) => tenant.ask('GET', `/jobs?limit=40&${filter}`)));
  const items = pages.flatMap((page): readonly JobView[] =>
    'answer' in page && page.answer.status === 200 ? page.answer.body.items : [],
  );
  return items.filter(({ state }, index) => !hasEnded(state) || index % 8 === 0);
}

async function cancel(job: JobView, world: World, auditor: Auditor): Promise<void> {
  const outcome = await world.tenantOf(job).ask('POST', `/jobs/${job.id}/cancel`, { reason: 'chaos' });
  auditor.decided(job.id, 'cancel', outcome);
}

const tenantBy = (which: number, { tenants }: World): Tenant => chosen(tenants, which) ?? tenants[0];

/** Somebody looks at, and would cancel, what may be another's: to all but its owner it is not there. */
async function peek(job: JobView, which: number, world: World, auditor: Auditor): Promise<void> {
  const tenant = tenantBy(which, world);
  // The first is the operator, who may see all.
  if (tenant === world.tenants[0] || tenant === world.tenantOf(job)) return;
  const looks = await Promise.all([
    tenant.ask('GET', `/jobs/${job.id}`),
    tenant.ask('POST', `/jobs/${job.id}/cancel`, { reason: 'not mine' }),
    tenant.ask('POST', `/jobs/${job.id}/settle`, { action: 'abandon', reason: 'not mine' }),
  ]);
  for (const look of looks) {
    if ('answer' in look && look.answer.status !== 404 && look.answer.status !== unknown)
      auditor.find(`job ${job.id} of another tenant was answered ${look.answer.status}`);
  }
}

/** Several decisions at once: of several operators, who do not know of each other. */
export async function settleBy(
  job: JobView,
  choices: readonly number[],
  world: World,
  auditor: Auditor,
): Promise<void> {
  await Promise.all(
    choices.map(async (choice) => {
      const action: Settlement | undefined = chosen(job.settlements, choice);
      if (!action) return;
      const settle = { action, reason: 'chaos' };
      auditor.decided(job.id, action, await world.tenantOf(job).ask('POST', `/jobs/${job.id}/settle`, settle));
    }),
  );
}

async function fault(
  { fault: spec, seconds }: Extract<Act, { act: 'fault' }>,
  { simulator }: World,
  auditor: Auditor,
): Promise<void> {
  auditor.note(`fault for ${seconds} s: ${JSON.stringify(spec)}`);
  const id = await simulator.fault(spec).catch(() => undefined);
  await pause(seconds * 1000);
  if (id !== undefined) await simulator.removeFault(id).catch(() => undefined);
}

export async function keepAway(role: string, seconds: number, world: World, auditor: Auditor): Promise<void> {
  auditor.note(`keep ${role} away for ${seconds} s`);
  const end = performance.now() + seconds * 1000;
  let killed: number | undefined;
  while (performance.now() < end) {
    const pid = world.pidOf(role);
    if (pid !== undefined && pid !== killed) {
      world.kill(role);
      killed = pid;
    }
    await pause(50);
  }
}

/** The log does not outlive its process; nor is it to be read twice. What is lost in between is not missed. */
export async function readCalls({ simulator }: World, auditor: Auditor): Promise<void> {
  const calls = await simulator.calls().catch(() => []);
  await simulator.clearCalls().catch(() => undefined);
  auditor.read(calls);
}
