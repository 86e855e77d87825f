import { Command } from 'commander';
import type { Event } from '../../src/domain/event.ts';
import type { Column } from '../table.ts';
import { clock, oneLine } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, withLimit } from './common.ts';
import { showItems } from './show.ts';

export const eventCommand = (open: OpenContext): Command =>
  new Command('event')
    .description('list and watch what happens in the project')
    .addCommand(listCommand(open))
    .addCommand(watchCommand(open));

const columns: readonly Column<Event>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'AT', value: ({ at }) => at },
  { header: 'TYPE', value: ({ type }) => type },
  { header: 'RESOURCE', value: ({ resource }) => (resource ? `${resource.kind} ${resource.name}` : '') },
  { header: 'STATUS', value: ({ resource }) => resource?.status ?? '' },
  { header: 'STATE', value: ({ data }) => textIn(data.state) },
  { header: 'JOB', value: ({ jobId }) => jobId ?? '', optional: true },
];

const filtered = (command: Command): Command =>
  command
    .option('--type <types>', 'only of these types, with commas between, like "job.ended,incident.*"')
    .option('--kind <kinds>', 'only about these kinds, with commas between')
    .option('--resource <id>', 'only about the resource or batch of this id')
    .option('--job <id>', 'only of this job, and of its operations if it is a batch’s')
    .option('--since <time>', 'from the first at or after this time (ISO 8601)')
    .option('--cursor <id>', 'from after the event of this id');

function filterOf(
  command: Command,
): Partial<Record<'type' | 'kind' | 'resource' | 'job' | 'cursor' | 'since', string>> {
  const names = ['type', 'kind', 'resource', 'job', 'cursor'] as const;
  const since = textOf(command, 'since');
  const given = names.flatMap((name) => {
    const value = textOf(command, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(given), ...(since === undefined ? {} : { since: timeOf(since) }) };
}

/** What the API takes for a time; what is none is for the API to refuse. */
function timeOf(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toISOString();
}

function listCommand(open: OpenContext): Command {
  const command = withLimit(filtered(apiCommand('list', 'list events, oldest first')));
  return command.action(async () => {
    const session = await openSession(command, open);
    const events = await session.client.pastEvents(filterOf(command), limitOf(command));
    await showItems(session, events, columns, 'No such events in this project.');
  });
}

function watchCommand(open: OpenContext): Command {
  const command = filtered(apiCommand('watch', 'show what happens, as it happens, until Ctrl-C; -o json: one a line'));
  return command.action(async () => {
    const session = await openSession(command, open);
    const { io, catchInterrupt } = session.context;
    const asJson = textOf(command, 'output') !== 'table';
    const away = (why: string): void => session.talk(`${why} Trying again.`);
    for await (const event of session.client.projectEvents(filterOf(command), catchInterrupt(), away)) {
      io.out(`${asJson ? JSON.stringify(event) : lineOf(event)}\n`);
    }
  });
}

/** `12:03:04 job.step volume data RUNNING step create: No answer.` */
function lineOf({ at, type, resource, data }: Event): string {
  const { state, step, error, reason } = data;
  const words = [clock(at), type];
  if (resource) words.push(resource.kind, resource.name);
  if (resource?.status) words.push(resource.status);
  words.push(textIn(state));
  if (isObject(step)) words.push('step', textIn(step.name), textIn(step.state));
  const why = isObject(error) ? textIn(error.message) : textIn(reason);
  return oneLine(`${words.filter((word) => word !== '').join(' ')}${why === '' ? '' : `: ${why}`}`);
}

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '');
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
