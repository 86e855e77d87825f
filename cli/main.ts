import { Command } from 'commander';
import { version } from '../src/version.ts';
import { demoCommand } from './commands/demo.ts';
import { downCommand } from './commands/down.ts';
import { identityCommands, tenantCommands, workerList } from './commands/index.ts';
import { keyCommand } from './commands/key.ts';
import { roleCommands } from './commands/roles.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { run } from './run.ts';

/** Every command imports what it runs when it runs, so that none pays for another. */
const program = new Command('millwright')
  .description('Orchestrates a private or hybrid cloud with durable workflows.')
  .version(version);
program.commandsGroup('Platform:');
for (const command of [upCommand(), downCommand(), statusCommand(), keyCommand(), demoCommand()])
  program.addCommand(command);
program.commandsGroup('Resources, jobs and batches:');
for (const command of tenantCommands()) program.addCommand(command);
program.commandsGroup('People, programs and rights:');
for (const command of identityCommands()) program.addCommand(command);
program.commandsGroup('Roles, each a process of its own:');
for (const command of roleCommands(workerList())) program.addCommand(command);

process.exitCode = await run(program, process.argv);
