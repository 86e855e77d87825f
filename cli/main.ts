import { Command } from 'commander';
import { readConfig, required } from '../src/config/index.ts';
import { MillwrightError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { downCommand } from './commands/down.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { runRole } from './role.ts';

/** Every command imports what it runs when it runs, so that none pays for another. */
const program = new Command('millwright')
  .description('Orchestrates a private or hybrid cloud with durable workflows.')
  .version(version)
  .addCommand(upCommand())
  .addCommand(downCommand())
  .addCommand(statusCommand());

program
  .command('api')
  .description('run the API')
  .action(async () => runRole('api', (await import('../api/server.ts')).startApi));

const worker = program.command('worker').description('run a worker');
worker
  .command('control')
  .description("run the control worker: workflows and the database's side of every job")
  .action(async () => runRole('control', (await import('../workers/control.ts')).startControlWorker));
worker
  .command('region')
  .description("run a region worker: the providers' side of every job of one region")
  .requiredOption('--region <name>', 'the region')
  .action(async ({ region }: { readonly region: string }) =>
    runRole(`region.${region}`, (await import('../workers/region.ts')).startRegionWorker(region)),
  );

program
  .command('simulator')
  .description('run the simulator: a pretend cloud behind HTTP')
  .action(async () => runRole('simulator', (await import('../src/providers/simulator/role.ts')).startSimulatorRole));

program
  .command('migrate')
  .description("bring the database to this version's schema, with what a new platform begins with")
  .action(async () => {
    const { migrate } = await import('../src/db/migrate.ts');
    const { createLogger } = await import('../src/log.ts');
    const config = readConfig();
    const log = createLogger('migrate', config.MILLWRIGHT_LOG_LEVEL);
    await migrate(required(config.DATABASE_URL, 'DATABASE_URL'), config.home, log);
  });

try {
  await program.parseAsync();
} catch (error) {
  // What is not an error for people is a fault of ours, and then its stack is what helps.
  const said = error instanceof MillwrightError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${said}\n`);
  process.exitCode = 1;
}
