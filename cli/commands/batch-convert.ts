import { Command, InvalidArgumentError } from 'commander';
import type { OpenContext } from './common.ts';

/** `plan=flavor`, given once or several times, or several with commas between. */
function pairs(value: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const added = value.split(',').map((pair) => pair.split('='));
  for (const [from, to, ...more] of added)
    if (!from || !to || more.length > 0) throw new InvalidArgumentError('It must be as in PLAN=FLAVOR.');
  return { ...before, ...Object.fromEntries(added) };
}

const isPairs = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' && value !== null;

/** Needs no platform: it reads a file and writes another. */
export function convertCommand(open: OpenContext): Command {
  const command = new Command('convert')
    .description('turn the batch workflow of an older tool (KCL, YAML, TOML, JSON) into a batch file')
    .argument('<file>', 'its file; what it is in, its name says: .k, .toml, .json, else YAML')
    .option('--flavor-map <plan=flavor>', 'the flavor that a plan is here; may be given several times', pairs)
    .option('--region-map <zone=region>', 'the region that a zone is here; likewise', pairs)
    .option('--image <image>', 'the image for machines that name none');
  return command.action(async (file: string) => {
    const { io } = open();
    const [{ convertBatch }, { readText }] = await Promise.all([
      import('../../src/batch/convert/index.ts'),
      import('../read-text.ts'),
    ]);
    const given = (option: string): Readonly<Record<string, string>> => {
      const value: unknown = command.getOptionValue(option);
      return isPairs(value) ? value : {};
    };
    const image: unknown = command.getOptionValue('image');
    const mapping = {
      flavors: given('flavorMap'),
      regions: given('regionMap'),
      image: typeof image === 'string' ? image : undefined,
    };
    const { yaml, left } = convertBatch(file === '-' ? await io.input() : await readText(file, 'file'), file, mapping);
    io.out(yaml);
    for (const { line, detail } of left) io.err(`${file}:${line}: ${detail}\n`);
    if (left.length > 0)
      io.err(`${left.length === 1 ? 'One thing is' : `${left.length} things are`} left to you; see the comments.\n`);
  });
}
