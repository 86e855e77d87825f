import { Command } from 'commander';
import { readConfig, required } from '../../src/config/index.ts';
import { runRole } from '../role.ts';

/** The commands that a supervisor runs: `up` on one machine, whatever runs containers in production. */
export function roleCommands(workerList: Command): Command[] {
  const worker = new Command('worker').description('run a worker, or list those that run');
  worker
    .command('control')
    .description("run the control worker: workflows and the database's side of every job")
    .action(async () => runRole('control', (await import('../../workers/control.ts')).startControlWorker));
  worker
    .command('region')
    .description("run a region worker: the providers' side of every job of one region")
    .requiredOption('--region <name>', 'the region')
    .action(async ({ region }: { readonly region: string }) =>
      runRole(`region.${region}`, (await import('../../workers/region.ts')).startRegionWorker(region)),
    );
  worker.addCommand(workerList);
  return [
    new Command('api')
      .description('run the API')
      .action(async () => runRole('api', (await import('../../api/server.ts')).startApi)),
    worker,
    new Command('simulator')
      .description('run the simulator: a pretend cloud behind HTTP')
      .action(async () =>
        runRole('simulator', (await import('../../src/providers/simulator/role.ts')).startSimulatorRole),
      ),
    new Command('migrate')
      .description("bring the database to this version's schema, with what a new platform begins with")
      .action(migrateNow),
  ];
}

async function migrateNow(): Promise<void> {
  const { migrate } = await import('../../src/db/migrate.ts');
  const { createLogger } = await import('../../src/log.ts');
  const config = readConfig();
  const log = createLogger('migrate', config.MILLWRIGHT_LOG_LEVEL);
  await migrate(required(config.DATABASE_URL, 'DATABASE_URL'), config.home, log);
}
