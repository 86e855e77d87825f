import { Command, Option } from 'commander';
import { configOf, homeOption } from '../home.ts';
import type { KeyLine, KeyUse } from '../keys.ts';
import { type Column, table } from '../table.ts';

interface KeyOptions {
  readonly home?: string;
  readonly of: KeyUse;
}

const columns: readonly Column<KeyLine>[] = [
  { header: 'OF', value: ({ use }) => use },
  { header: 'ID', value: ({ id }) => id },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'ENCRYPTED UNTIL', value: ({ until }) => until ?? '' },
  { header: 'NEEDED BY', value: ({ neededBy }) => neededBy },
];

const talk = (line: string): void => void process.stderr.write(`${line}\n`);

/** Rotation in its order: add, promote, rewrap, retire. Each may be done while the platform runs, and again. */
export function keyCommand(): Command {
  const of = new Option('--of <use>', 'which keys').choices(['secrets', 'payloads']).makeOptionMandatory();
  const edit = (name: string, description: string): Command =>
    new Command(name).description(description).addOption(of).addOption(homeOption());
  const key = new Command('key').description('list and rotate the keys that encrypt secrets and payloads');
  key.addCommand(
    new Command('list')
      .description('list the keys: which encrypts, and what still needs the others')
      .addOption(homeOption())
      .action(async (options: { readonly home?: string }) => {
        const { listKeys } = await import('../keys.ts');
        process.stdout.write(table(columns, await listKeys(configOf(options)), Date.now()));
      }),
  );
  key.addCommand(
    edit('add', 'make a new key that opens and does not encrypt yet; then give the file to every machine').action(
      async (options: KeyOptions) => {
        const { addKey, fileOf } = await import('../keys.ts');
        process.stdout.write(`${addKey(fileOf(configOf(options), options.of))}\n`);
        talk('Give the file to every machine, then promote the key.');
      },
    ),
  );
  key.addCommand(
    edit('promote', 'have a key encrypt from now on, once every machine has it')
      .argument('<id>')
      .action(async (id: string, options: KeyOptions) => {
        const { fileOf, promoteKey } = await import('../keys.ts');
        promoteKey(fileOf(configOf(options), options.of), id);
        talk(`${id} encrypts ${options.of} from now on; processes notice within seconds.`);
      }),
  );
  key.addCommand(
    new Command('rewrap')
      .description('have the active key wrap every data key, and seal what a release before sealing left in clear')
      .addOption(homeOption())
      .action(async (options: { readonly home?: string }) => {
        const { rewrap } = await import('../keys.ts');
        const { rewrapped, sealed } = await rewrap(configOf(options));
        talk(`${rewrapped} data keys rewrapped, ${sealed} rows sealed that were in clear.`);
      }),
  );
  key.addCommand(
    edit('retire', 'take a key out of the file; refused while anything still needs it')
      .argument('<id>')
      .action(async (id: string, options: KeyOptions) => {
        const { retireKey } = await import('../keys.ts');
        await retireKey(configOf(options), options.of, id);
        talk(`${id} is gone from this machine's file; take it from the others' too.`);
      }),
  );
  return key;
}
