import { Command } from 'commander';
import { configOf, homeOption } from '../home.ts';

export function downCommand(): Command {
  return new Command('down')
    .description('stop the platform on this machine, and wait until it has stopped')
    .addOption(homeOption())
    .action(async (options: { readonly home?: string }) => {
      const { down } = await import('../../src/platform/down.ts');
      const { home } = configOf(options);
      const talk = (line: string) => void process.stderr.write(`${line}\n`);
      const stopped = await down(home, talk);
      talk(stopped ? `the platform in ${home} has stopped` : `no platform runs in ${home}`);
    });
}
