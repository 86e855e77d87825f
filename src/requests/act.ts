import type { Sql, TransactionSql } from 'postgres';
import { violatedUnique } from '../db/client.ts';
import { insertWork } from '../db/queries/accept.ts';
import { usersOf } from '../db/queries/plan.ts';
import { takeQuota } from '../db/queries/quota-takes.ts';
import { knownResources, resourceById } from '../db/queries/resources.ts';
import { type ActRequest, changesMachine } from '../domain/acts.ts';
import { heldFor, type ResourceChange, takenFor } from '../domain/change.ts';
import { partsOf } from '../domain/kinds.ts';
import { moveFor } from '../domain/life.ts';
import { MillwrightError } from '../errors.ts';
import { sealInput } from '../secrets/specs.ts';
import { type Acting, nothingToDo, prepareAct } from './acts/index.ts';
import type { Accepted, AcceptOptions, Caller } from './caller.ts';
import type { Catalog } from './catalog.ts';
import { asked, newJob, startOf } from './create.ts';
import { acceptOnce } from './idempotency.ts';
import { whyNot } from './refusals.ts';
import { busy, lockTarget, notFound, refuseIfBusy, type Target } from './target.ts';

/**
 * Accepts an act on a resource: locked first and looked at in the same transaction, what it takes more of the quota
 * taken, what it begins to use taken, other resources that it needs held as well; or nothing. Undefined where what is
 * asked for is so already. Throws `not_found`, `conflict`, `invalid` and `quota`.
 */
export async function tryAct(
  sql: Sql,
  caller: Caller,
  catalog: Catalog,
  request: ActRequest,
  reference: string,
  options: AcceptOptions,
): Promise<Accepted<never> | undefined> {
  const { kind, verb } = partsOf(request.type);
  return await sql.begin(async (transaction) => {
    const target = await lockTarget(transaction, caller, kind, reference);
    refuseIfBusy(target, request.type);
    if (changesMachine(request.type)) await refuseMachine(transaction, target);
    const there = await resourceById(transaction, kind, target.id);
    if (!there) throw notFound(kind, reference);
    const find = finderOf(transaction, caller);
    const prepared = await prepareAct(request, { there, catalog, find });
    if (prepared === nothingToDo) return undefined;
    const move = moveFor(kind, verb);
    if (!move.from.includes(target.status)) throw wrongState(target, verb, move.from);
    const { spec, change } = prepared;
    const job = newJob(caller, verb, target, spec, options, { status: target.status, change });
    await take(transaction, caller, job.id, change);
    const held = change?.quota && { quota: heldFor(change.quota) };
    const resource = { ...target, status: move.during, ...held };
    const stored = { ...job, input: await sealInput(options.sealer, kind, job.id, job.input) };
    if (!(await insertWork(transaction, asked(caller, options), resource, stored))) throw busy(target);
    return { jobId: job.id, resourceId: target.id, start: startOf(job) };
  });
}

/** The same, where asking for what is so already is a conflict. */
export function acceptAct(
  sql: Sql,
  caller: Caller,
  catalog: Catalog,
  request: ActRequest,
  reference: string,
  options: AcceptOptions,
): Promise<Accepted<never>> {
  return acceptOnce(sql, caller.project.id, options.idempotency, async () => {
    const accepted = await tryAct(sql, caller, catalog, request, reference, options);
    if (accepted) return accepted;
    throw new MillwrightError('conflict', isSoAlready(request, reference));
  });
}

/** Why there is nothing to do. */
function isSoAlready({ type, body }: ActRequest, reference: string): string {
  const { kind, verb } = partsOf(type);
  switch (type) {
    case 'bucket.create-key':
      return `The bucket "${reference}" has an access key "${body.key}" already. Choose another name, or revoke that one first.`;
    case 'bucket.revoke-key':
      return `The bucket "${reference}" has no access key "${body.key}": there is nothing to revoke.`;
    default:
      return `The ${kind} "${reference}" is already as "${verb}" would make it: there is nothing to do.`;
  }
}

async function refuseMachine(sql: TransactionSql, { id, name }: Target): Promise<void> {
  const cluster = (await usersOf(sql, [id])).find(({ kind }) => kind === 'cluster');
  if (!cluster) return;
  throw new MillwrightError(
    'conflict',
    `The vm "${name}" is a machine of the cluster "${cluster.name}", which alone changes it.`,
  );
}

const wrongState = ({ kind, name, status }: Target, verb: string, from: readonly string[]): MillwrightError =>
  new MillwrightError(
    'conflict',
    `The ${kind} "${name}" is ${status}, and "${verb}" can be asked of one that is ${from.join(' or ')}.`,
  );

const finderOf =
  (sql: TransactionSql, caller: Caller): Acting<'vm'>['find'] =>
  async (kind, reference, pointer) => {
    const find = await knownResources(sql, caller.project.id, [{ kind, reference }]);
    const known = find({ kind, reference });
    if (known) return known;
    const detail = `There is no ${kind} "${reference}" in this project.`;
    throw new MillwrightError('invalid', detail, { faults: [{ pointer, detail }] });
  };

/** What the act needs while it is at work: more quota, uses, other resources. */
async function take(sql: TransactionSql, caller: Caller, jobId: string, change: ResourceChange = {}): Promise<void> {
  const { begins = [], locks = [], quota } = change;
  if (locks.length > 0) {
    const held = await sql`
      UPDATE resources SET current_job_id = ${jobId}
      WHERE id = ANY(${[...locks]}::uuid[]) AND current_job_id IS NULL AND deleted_at IS NULL RETURNING id`;
    if (held.length < locks.length)
      throw new MillwrightError(
        'conflict',
        'A job is at work on what this needs as well. Wait for its end, then ask again.',
      );
  }
  if (begins.length > 0) {
    await sql`
      INSERT INTO resource_uses (user_id, used_id, position, exclusive)
      SELECT b."user", b.used, coalesce((SELECT max(position) + 1 FROM resource_uses u WHERE u.user_id = b."user"), 0), x.kind = 'volume'
      FROM jsonb_to_recordset(${JSON.stringify(begins)}::text::jsonb) AS b("user" uuid, used uuid) JOIN resources x ON x.id = b.used`.catch(
      (error: unknown) => {
        if (violatedUnique(error) === undefined) throw error;
        throw new MillwrightError('conflict', 'It is in use already. Look at it, then ask again.');
      },
    );
  }
  if (!quota) return;
  const more = takenFor(quota);
  if (!(await takeQuota(sql, caller.project.id, more))) throw await whyNot(sql, caller, more, []);
}
