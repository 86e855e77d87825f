import { hasEnded, type JobView } from '../../src/domain/job.ts';
import { until } from '../harness/until.ts';
import type { Auditor } from './auditor.ts';
import type { Dice } from './dice.ts';
import { settleBy } from './perform.ts';
import type { World } from './world.ts';

/** Jobs that nobody has to decide of end within this, once everything works. */
const livenessMs = 90_000;
/** How often a job may be held again before it is given up. */
const patience = 6;

/** Takes every fault away and has every process run. */
export async function heal(world: World, auditor: Auditor): Promise<void> {
  auditor.note('heal');
  await world.whole();
  await until('the simulator to forget its faults', () =>
    world.simulator.clearFaults().then(
      () => true,
      () => false,
    ),
  );
  await world.tenants[0].get('/jobs?limit=1');
}

/** Every job, the oldest first. */
export async function everyJob({ tenants }: World): Promise<readonly JobView[]> {
  const found: JobView[] = [];
  for (const tenant of tenants) {
    let cursor = '';
    do {
      const page = await tenant.get(`/jobs?limit=500${cursor}`);
      found.push(...page.items);
      cursor = page.nextCursor ? `&cursor=${page.nextCursor}` : '';
    } while (cursor);
  }
  return found.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id));
}

/** Settles whatever is held, each by one of what applies, until every job has ended. One that does not end is a finding. */
export async function seeToTheEnd(dice: Dice, world: World, auditor: Auditor): Promise<void> {
  auditor.note('see every job to its end');
  const held = new Map<string, number>();
  let left: readonly JobView[] = [];
  try {
    await until(
      'every job to end',
      async () => {
        left = (await everyJob(world)).filter(({ state }) => !hasEnded(state));
        for (const job of left.filter(({ state }) => state === 'HELD')) {
          const times = (held.get(job.id) ?? 0) + 1;
          held.set(job.id, times);
          const giveUp = job.settlements.indexOf('abandon');
          await settleBy(job, [times > patience ? giveUp : dice.int(0, 1_000_000)], world, auditor);
        }
        return left.length === 0;
      },
      livenessMs,
    );
  } catch {
    for (const job of left) {
      auditor.find(
        `job ${job.id} (${job.type} of ${job.resource.name}) has not ended: ${job.state}, rollback ${job.rollback}, waits for ${job.waitingFor}, ${JSON.stringify(job.steps)}`,
      );
    }
  }
}
