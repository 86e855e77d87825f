import type { ShownKey } from '../../src/domain/bucket.ts';
import { hasEnded, type JobView } from '../../src/domain/job.ts';
import type { Accepted } from '../client.ts';
import type { Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import type { FollowMode } from '../watch/follow.ts';

/** Shows a list; says so where it is empty, as an empty table says nothing. */
export async function showItems<Item>(
  session: Session,
  items: readonly Item[],
  columns: readonly Column<Item>[],
  none: string,
): Promise<void> {
  await session.show(items, () => tableOf(columns, items));
  if (items.length === 0) session.talk(none);
}

const tableOf = <Item>(columns: readonly Column<Item>[], items: readonly Item[]): string =>
  items.length === 0 ? '' : table(columns, items, Date.now());

interface Shown<Resource> {
  readonly columns: readonly Column<Resource>[];
  /** The resource as it now is; undefined where it is gone. */
  readonly find: (id: string) => Promise<Resource | undefined>;
}

/** Shows what a request began; where it is to be followed, first how it ended. Fails unless it ended well. */
export async function finish<Resource>(
  session: Session,
  accepted: readonly Accepted<Resource>[],
  mode: FollowMode | undefined,
  { columns, find }: Shown<Resource>,
): Promise<void> {
  const show = (answers: readonly Accepted<Resource | null>[]): Promise<void> =>
    session.show(answers.length === 1 ? answers[0] : answers, () =>
      tableOf(
        columns,
        answers.flatMap(({ resource }) => resource ?? []),
      ),
    );
  for (const { key } of accepted) if (key) session.talk(told(key));
  if (mode === undefined) {
    await show(accepted);
    for (const { job } of accepted) session.talk(howToWatch(session, job));
    return;
  }
  const { follow } = await import('../watch/follow.ts');
  const { reportOutcome } = await import('../outcome.ts');
  const jobs = await follow(
    session,
    accepted.map(({ job }) => job),
    mode,
  );
  const keys = new Map(accepted.map(({ job, key }) => [job.id, key]));
  await show(
    await Promise.all(
      jobs.map(async (job) => ({
        resource: (await find(job.resource.id)) ?? null,
        job,
        key: keys.get(job.id),
      })),
    ),
  );
  await reportOutcome(session, jobs, mode);
}

const told = ({ accessKey, secret }: ShownKey): string =>
  secret === null
    ? `The secret of ${accessKey} was in the first answer, and is shown no more. Revoke the key if that is lost.`
    : `Access key: ${accessKey}\nSecret:     ${secret}\nKeep it: it is not shown again.`;

const howToWatch = ({ command }: Session, { id, type, resource, state }: JobView): string =>
  `Job ${id} (${type} ${resource.name}) is ${state}.${hasEnded(state) ? '' : ` Watch it with: ${command(`job watch ${id}`)}`}`;
