import { quotaDifferences } from '../../src/db/queries/quota.ts';
import type { JobView } from '../../src/domain/job.ts';
import { until } from '../harness/until.ts';
import { Auditor } from './auditor.ts';
import { cleanUp } from './clean-up.ts';
import { compareEnds, compareRequests } from './compare-jobs.ts';
import { compareAudit, compareEvents, compareRest, compareStatuses } from './compare-records.ts';
import { compareResources } from './compare-resources.ts';
import { Dice } from './dice.ts';
import { expectedResources } from './expected.ts';
import { everyJob, heal, seeToTheEnd } from './heal.ts';
import { perform, readCalls } from './perform.ts';
import { writeScript } from './script.ts';
import { startWorld } from './world.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** Of the phase in which things go wrong. */
  readonly seconds: number;
}

/**
 * One run: a random workload on a real platform while everything goes wrong that the seed says; then all is healed and
 * every job has to end; then the auditor compares. Gives what it found.
 */
export async function runChaos({ seed, seconds }: ChaosOptions): Promise<readonly string[]> {
  const dice = new Dice(seed);
  const script = writeScript(dice.fork('script'), { seconds, requestsPerSecond: 9, troublesPerSecond: 1.2 });
  const auditor = new Auditor();
  const world = await startWorld(['blue', 'green']);
  try {
    await world.simulator.settings({
      latencyMs: {
        'vm.create': 400,
        'vm.delete': 150,
        'volume.create': 200,
        'network.create': 100,
        'network.delete': 50,
      },
    });
    await perform(script, world, auditor);
    await heal(world, auditor);
    await seeToTheEnd(dice.fork('settle'), world, auditor);
    await readCalls(world, auditor);
    await compare(world, auditor);
    await cleanUp(world, auditor);
    await compare(world, auditor);
    console.info(`seed ${seed}: ${summary(auditor, await everyJob(world))}`);
    return auditor.findings;
  } finally {
    const failed = auditor.findings.length > 0;
    if (failed) console.error([...auditor.trace, ...world.said].join('\n'));
    await world.stop(failed);
  }
}

async function compare(world: Awaited<ReturnType<typeof startWorld>>, auditor: Auditor): Promise<void> {
  await until(
    'every incident to be resolved',
    async () => {
      const [open] = await world.sql`SELECT FROM incidents WHERE resolved_at IS NULL`;
      return open === undefined;
    },
    15_000,
  ).catch(() => undefined);
  const jobs = await everyJob(world);
  auditor.note(`compare ${jobs.length} jobs of ${auditor.asked.length} requests`);
  compareRequests(jobs, auditor);
  compareEnds(jobs, auditor);
  await compareResources(expectedResources(jobs, auditor), world, auditor);
  await compareEvents(jobs, world, auditor);
  await compareStatuses(world, auditor);
  await compareAudit(jobs, world, auditor);
  await compareRest(world, auditor);
  for (const wrong of await quotaDifferences(world.sql))
    auditor.find(`a quota differs from its recount: ${JSON.stringify(wrong)}`);
}

/** What the run came to: a run in which little happened would prove little. */
function summary({ asked, decisions }: Auditor, jobs: readonly JobView[]): string {
  const count = (words: readonly string[]): string =>
    [...Map.groupBy(words, (word) => word)].map(([word, all]) => `${all.length} ${word}`).join(', ');
  const ends = jobs.map(({ state, rollback }) => `${state}/${rollback}`);
  const lost = asked.reduce((sum, each) => sum + each.lost, 0);
  return `${asked.length} requests, ${lost} answers lost; jobs: ${count(ends)}; decisions: ${count(decisions.map(({ action, outcome }) => `${action} ${outcome}`))}`;
}
