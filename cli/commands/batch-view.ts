import { writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type BatchBasic, type BatchOperationView, type BatchView, operationStates } from '../../src/domain/batch.ts';
import type { Timeline } from '../../src/domain/batch-timeline.ts';
import { type Column, properties, table } from '../table.ts';
import { age, clock, leftOf, took } from '../text.ts';
import { apiCommand, limitOf, type OpenContext, openSession, textOf, withLimit } from './common.ts';
import { showItems } from './show.ts';

const totalOf = ({ counts }: BatchView): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
const doneOf = ({ counts }: BatchView): number => (counts.SUCCEEDED ?? 0) + (counts.UNCHANGED ?? 0);

export const batchColumns: readonly Column<BatchView>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'ID', value: ({ id }) => id },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'ROLLBACK', value: ({ rollback }) => rollback },
  { header: 'DONE', value: (batch) => `${doneOf(batch)}/${totalOf(batch)}` },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
  { header: 'TOOK', value: ({ startedAt, endedAt }, now) => took(startedAt, endedAt, now) },
  { header: 'ERROR', value: ({ error }) => error?.message ?? '', optional: true },
];

/** `batch get` lists the operations of a batch that has no more than these. */
const listedWithBatch = 100;

const reference = ['<name>', 'its id, or its name for the newest of that name'] as const;

const operationColumns: readonly Column<BatchOperationView>[] = [
  { header: 'OPERATION', value: ({ id }) => id },
  { header: 'TYPE', value: ({ type }) => type },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'REGION', value: ({ region }) => region ?? '', optional: true },
  { header: 'RESOURCE', value: ({ resource }) => resource?.name ?? '' },
  { header: 'TOOK', value: ({ startedAt, endedAt }, now) => took(startedAt, endedAt, now) },
  { header: 'JOB', value: ({ jobId }) => jobId ?? '' },
  { header: 'ERROR', value: ({ error }) => error?.message ?? '', optional: true },
  { header: 'SINCE', value: ({ waitingFor }, now) => age(waitingFor?.since ?? null, now), optional: true },
  { header: 'WAITS FOR', value: ({ waitingFor }) => waitingFor?.reason ?? '', optional: true },
];

export function getCommand(open: OpenContext): Command {
  const command = apiCommand('get', 'show a batch, and what it waits for').argument(...reference);
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    const { client } = session;
    if (textOf(command, 'output') !== 'table') {
      await session.show(await client.batch(name), () => '');
      return;
    }
    const batch = await client.oneBatch.basic(name);
    const isSmall = totalOf(batch) <= listedWithBatch;
    const operations = isSmall ? await client.oneBatch.operations(batch.id, [], listedWithBatch) : [];
    await session.show(batch, () => describe(batch, operations, Date.now()));
    if (!isSmall)
      session.talk(
        `It has ${totalOf(batch).toLocaleString('en')} operations. See them with: ${session.command(`batch operations ${name} --state FAILED`)}`,
      );
  });
}

function describe(batch: BatchBasic, operations: readonly BatchOperationView[], now: number): string {
  const { counts, progress, rollback, error } = batch;
  const states = Object.entries(counts).map(([state, count]) => `${count.toLocaleString('en')} ${state}`);
  const waits = progress.waiting.map(
    ({ kind, count, reason }) => [`  ${kind}`, `${count.toLocaleString('en')}: ${reason}`] as const,
  );
  const head = properties([
    ['Batch', `${batch.name} (${batch.id})`],
    ['State', batch.state],
    ['Rollback', rollback === 'none' ? null : rollback],
    ['Done', `${doneOf(batch)} of ${totalOf(batch)}, ${batch.parallelLimit} at a time`],
    ['Operations', states.join(', ')],
    ['Error', error && `${error.message} (${error.code})`],
    ['Job', batch.jobId],
    ['Created', `${batch.createdAt} (${age(batch.createdAt, now)} ago)`],
    ['Took', took(batch.startedAt, batch.endedAt, now)],
    ['Left', leftOf(progress.estimatedEndAt, now)],
    ['Next', progress.next.map(({ id }) => id).join(', ')],
    ...(waits.length === 0 ? [] : [['Waiting', 'for'] as const, ...waits]),
  ]);
  return operations.length === 0 ? head : `${head}\n${table(operationColumns, operations, now)}`;
}

function addState(value: string, before: readonly string[] = []): readonly string[] {
  if (operationStates.some((state) => state === value)) return [...before, value];
  throw new InvalidArgumentError(`Allowed choices are ${operationStates.join(', ')}.`);
}

export function operationsCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('operations', 'list the operations of a batch, and what each waits for'))
    .argument(...reference)
    .addOption(
      new Option(
        '--state <state>',
        `only those in this state; may be given several times (${operationStates.join(', ')})`,
      ).argParser(addState),
    );
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    const states: unknown = command.getOptionValue('state');
    const wanted = Array.isArray(states) ? states.map(String) : [];
    const items = await session.client.oneBatch.operations(name, wanted, limitOf(command));
    await showItems(session, items, operationColumns, 'No such operations in this batch.');
  });
}

const pathColumns: readonly Column<Timeline['criticalPath'][number]>[] = [
  { header: 'OPERATION', value: ({ id }) => id },
  { header: 'WAITED', value: ({ waitedSeconds }) => seconds(waitedSeconds) },
  { header: 'TOOK', value: (step) => seconds(step.seconds) },
  { header: 'SHARE', value: ({ share }) => `${(share * 100).toFixed(1)} %` },
];

const seconds = (value: number): string => `${value.toFixed(1)}s`;

export function timelineCommand(open: OpenContext): Command {
  const command = apiCommand('timeline', 'show what a batch spent its time on: its critical path')
    .argument(...reference)
    .option('--svg <file>', 'write a Gantt chart of it there, as SVG; - for standard output')
    .option('--graph', 'with --svg: what depends on what, rather than when it ran');
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    const file = textOf(command, 'svg');
    if (file !== undefined) {
      const svg = await session.client.oneBatch.timelineSvg(
        name,
        command.getOptionValue('graph') === true ? 'graph' : 'gantt',
      );
      if (file === '-') session.context.io.out(svg);
      else {
        await writeFile(file, svg);
        session.talk(`Written to ${file}.`);
      }
      return;
    }
    const timeline = await session.client.oneBatch.timeline(name);
    const { startedAt, endedAt, at, operations, lanes, criticalPath } = timeline;
    await session.show(timeline, () => table(pathColumns, criticalPath, Date.now()));
    session.talk(
      startedAt === null
        ? 'Nothing of it has begun yet.'
        : `${operations.length} operations, at most ${lanes} at once, in ${took(startedAt, endedAt ?? at, Date.now())} from ${clock(startedAt)}. A picture of it: ${session.command(`batch timeline ${name} --svg FILE`)}`,
    );
  });
}
