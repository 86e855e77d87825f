import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { hasEnded, type JobView, jobStates, type Settlement, settlements } from '../../src/domain/job.ts';
import { type Column, properties, table } from '../table.ts';
import { age, took } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, withLimit } from './common.ts';
import { showItems } from './show.ts';

export const jobCommand = (open: OpenContext): Command =>
  new Command('job')
    .description('list, show, watch, settle and cancel jobs')
    .addCommand(listCommand(open))
    .addCommand(getCommand(open))
    .addCommand(watchCommand(open))
    .addCommand(settleCommand(open))
    .addCommand(cancelCommand(open));

/** What each settlement does, for the help. */
const settlementHelp = `
retry      runs once more what failed, and nothing that is done
skip       goes on as if the step that failed were done
rollback   undoes the job
mark-done  ends it as done (or, of a rollback that is stuck, as undone): someone has seen to it by hand
abandon    ends it as it is, its leftovers listed
Which of them apply, "millwright job get <id>" says.`;

const columns: readonly Column<JobView>[] = [
  { header: 'ID', value: ({ id }) => id },
  { header: 'TYPE', value: ({ type }) => type },
  { header: 'RESOURCE', value: ({ resource }) => resource.name },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'ROLLBACK', value: ({ rollback }) => rollback },
  { header: 'REGION', value: ({ region }) => region ?? '' },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
  { header: 'TOOK', value: ({ startedAt, endedAt }, now) => took(startedAt, endedAt, now) },
  { header: 'ERROR', value: ({ error }) => error?.message ?? '', optional: true },
];

const stepColumns: readonly Column<JobView['steps'][number]>[] = [
  { header: 'STEP', value: ({ name }) => name },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'ATTEMPTS', value: ({ attempts }) => String(attempts) },
  { header: 'TOOK', value: ({ startedAt, endedAt }, now) => took(startedAt, endedAt, now) },
  { header: 'NEXT TRY', value: ({ nextAttemptAt }) => nextAttemptAt ?? '', optional: true },
  { header: 'REFERENCE', value: ({ providerReference }) => providerReference ?? '', optional: true },
  { header: 'ERROR', value: ({ error }) => error?.message ?? '', optional: true },
];

function listCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list jobs, newest first'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(jobStates))
    .option('--resource <id>', 'only those of the resource with this id')
    .option('--batch <id>', 'only those of the operations of the batch with this id');
  return command.action(async () => {
    const session = await openSession(command, open);
    const filter = {
      state: textOf(command, 'state'),
      resource: textOf(command, 'resource'),
      batch: textOf(command, 'batch'),
    };
    await showItems(
      session,
      await session.client.jobs(filter, limitOf(command)),
      columns,
      'No such jobs in this project.',
    );
  });
}

function getCommand(open: OpenContext): Command {
  const command = apiCommand('get', 'show a job with its steps').argument('<id>', 'its id');
  return command.action(async (id: string) => {
    const session = await openSession(command, open);
    const job = await session.client.job(id);
    await session.show(job, () => describe(job, Date.now()));
  });
}

function watchCommand(open: OpenContext): Command {
  const command = apiCommand(
    'watch',
    'show what happens to a job until it has ended; succeeds only if it did',
  ).argument('<id>', 'its id');
  return command.action(async (id: string) => {
    const session = await openSession(command, open);
    const { follow } = await import('../watch/follow.ts');
    const { reportOutcome } = await import('../outcome.ts');
    const jobs = await follow(session, [await session.client.job(id)], 'watch');
    await session.show(jobs[0], () => '');
    await reportOutcome(session, jobs, 'watch');
  });
}

function settleCommand(open: OpenContext): Command {
  const command = apiCommand('settle', 'decide how a held job goes on')
    .argument('<id>', 'its id')
    .addArgument(new Argument('<action>', `one of ${settlements.join(', ')}`).argParser(settlement))
    .requiredOption('--reason <text>', 'why, for the record')
    .addHelpText('after', settlementHelp);
  return command.action(async (id: string, action: Settlement) => {
    const session = await openSession(command, open);
    const job = await session.client.settle(id, action, textOf(command, 'reason') ?? '');
    await session.show(job, () => table(columns, [job], Date.now()));
    session.talk(
      hasEnded(job.state)
        ? `It has ended: ${job.state}.`
        : `It goes on. Watch it with: ${session.command(`job watch ${id}`)}`,
    );
  });
}

function cancelCommand(open: OpenContext): Command {
  const command = apiCommand('cancel', 'have a job stop and undo what it did')
    .argument('<id>', 'its id')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--watch', 'show what happens until it has ended');
  return command.action(async (id: string) => {
    const session = await openSession(command, open);
    const job = await session.client.cancel(id, textOf(command, 'reason') ?? '');
    if (command.getOptionValue('watch') !== true) {
      await session.show(job, () => table(columns, [job], Date.now()));
      session.talk(`It undoes what it did. Watch it with: ${session.command(`job watch ${id}`)}`);
      return;
    }
    const { follow } = await import('../watch/follow.ts');
    const jobs = await follow(session, [job], 'watch');
    await session.show(jobs[0], () => table(columns, jobs, Date.now()));
  });
}

export function settlement(value: string): Settlement {
  const known = settlements.find((candidate) => candidate === value);
  if (known) return known;
  throw new InvalidArgumentError(`Allowed choices are ${settlements.join(', ')}.`);
}

/** The steps, and what to look for at the provider: everything that a job makes carries its resource's id as its key. */
const leftoversOf = ({ leftovers, resource }: JobView): string | null =>
  leftovers.length === 0 ? null : `${leftovers.join(', ')} (at the provider: what has the key ${resource.id})`;

function describe(job: JobView, now: number): string {
  const { resource, batchId, operationId, rollback, error } = job;
  const head = properties([
    ['Job', job.id],
    ['Type', job.type],
    ['Resource', `${resource.kind} ${resource.name} (${resource.id})`],
    ['State', job.state],
    ['Rollback', rollback === 'none' ? null : rollback],
    [
      'Error',
      error && `${error.message} (${error.providerClass ? `${error.code}, ${error.providerClass}` : error.code})`,
    ],
    ['Canceling', job.cancelRequested && !hasEnded(job.state) ? 'yes: it undoes what it did' : null],
    ['Left over', leftoversOf(job)],
    ['Waits for', job.waitingFor],
    ['Ways out', job.settlements.join(', ')],
    ['On failure', job.onFailure],
    ['Deadline', job.deadlineAt],
    ['Region', job.region],
    ['Batch', batchId && `${batchId}, operation ${operationId}`],
    ['Created', `${job.createdAt} (${age(job.createdAt, now)} ago)`],
    ['Took', took(job.startedAt, job.endedAt, now)],
    ['Workflow', job.workflowId],
    ['Temporal', job.temporalUiUrl],
  ]);
  return job.steps.length === 0 ? head : `${head}\n${table(stepColumns, job.steps, now)}`;
}
