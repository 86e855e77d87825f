import { referencesIn, resolveTemplates } from '../../src/batch/template.ts';
import { isDatabaseAway } from '../../src/db/client.ts';
import { insertCreates, laneOf } from '../../src/db/queries/accept.ts';
import { seenOperations } from '../../src/db/queries/outputs.ts';
import { knownResources } from '../../src/db/queries/resources.ts';
import type { Job } from '../../src/domain/job.ts';
import { isOperationType, partsOf } from '../../src/domain/kinds.ts';
import { MillwrightError } from '../../src/errors.ts';
import { readyCreate } from '../../src/requests/create.ts';
import { type CreateBody, createOf, referencesOf } from '../../src/requests/prepare.ts';
import { openSpec, placeOfOperation } from '../../src/secrets/specs.ts';
import type { Begun } from '../types.ts';
import { type Beginning, callerOf, openSecrets, optionsOf, placeOf, regionOf } from './begin-one.ts';
import type { ControlDependencies } from './index.ts';

/** More in one statement gain little. */
const atMost = 100;

/**
 * Accepts creates together, in one statement for each kind, which is what most of a large batch is. Gives what was begun
 * that way. Whatever is not as plain as that (a fault, a name that is taken, a quota that is short, a job that is there) is
 * not among it, nothing of it has been written, and it is to be begun by itself.
 */
export async function createTogether(
  dependencies: ControlDependencies,
  beginnings: readonly Beginning[],
): Promise<ReadonlyMap<string, Begun>> {
  const plain = beginnings.filter(isPlainCreate);
  const [first] = plain;
  if (!first || plain.length < 2) return new Map();
  const { sql } = dependencies.database;
  const { batch } = first;
  const creates = await bodiesOf(dependencies, plain);
  const caller = callerOf(batch);
  const [catalog, find] = await Promise.all([
    dependencies.catalog(),
    knownResources(
      sql,
      caller.project.id,
      creates.flatMap(({ body }) => referencesOf(body)),
    ),
  ]);
  const ready = await Promise.all(
    creates.map(({ beginning, body }) => {
      const options = optionsOf(dependencies, beginning, placeOf(beginning, beginning.row.jobId));
      return ifPlain(async () => ({
        id: beginning.row.id,
        ...(await readyCreate(caller, catalog, body, find, options)),
      }));
    }),
  );
  const begun = new Map<string, Begun>();
  const lanes = Map.groupBy(
    ready.flatMap((one) => one ?? []),
    ({ write }) => laneOf(write),
  );
  await Promise.all(
    [...lanes.values()].flatMap((lane) =>
      chunksOf(lane, atMost).map(async ([one, ...others]) => {
        if (!one) return;
        const writes = [one.write, ...others.map(({ write }) => write)] as const;
        if (!(await insertCreates(sql, writes).catch(unlessAway))) return;
        for (const { id, job } of [one, ...others])
          begun.set(id, { job: { ...(job.input as Omit<Job, 'sequence'>), sequence: 0 } });
      }),
    ),
  );
  return begun;
}

const isPlainCreate = ({ batch, row, direction }: Beginning): boolean =>
  direction === 'forth' &&
  row.state === 'PENDING' &&
  row.jobState === null &&
  (row.action === null || row.action === 'create' || row.action === 'replace') &&
  row.conditions.length === 0 &&
  !batch.paused &&
  !batch.hasEnded &&
  isOperationType(row.type) &&
  partsOf(row.type).verb === 'create';

interface Create {
  readonly beginning: Beginning;
  readonly body: CreateBody;
}

/** What each asks for, references to outputs filled in; those of which something is wrong are left out. */
async function bodiesOf(
  { database, sealer }: ControlDependencies,
  beginnings: readonly Beginning[],
): Promise<readonly Create[]> {
  const specs = await Promise.all(
    beginnings.map(async ({ batch, row }) => ({
      row,
      spec: await openSpec(sealer, row.spec, placeOfOperation(batch.id, row.id)),
    })),
  );
  const referred = new Set(specs.flatMap(({ spec }) => referencesIn(spec).map(({ operationId }) => operationId)));
  const [first] = beginnings;
  const secrets = first ? await openSecrets(sealer, first.batch) : new Map<string, string>();
  const seen = await seenOperations(database.sql, first?.batch.id ?? '', [...referred]);
  const creates = await Promise.all(
    beginnings.map((beginning, index) =>
      ifPlain(async () => {
        const { row } = beginning;
        const resolved = resolveTemplates(
          specs[index]?.spec,
          (id) => seen.get(id)?.outputs,
          (name) => secrets.get(name),
        );
        if (!isOperationType(row.type)) return undefined;
        return { beginning, body: createOf(partsOf(row.type).kind, regionOf(row), resolved) };
      }),
    ),
  );
  return creates.flatMap((create) => create ?? []);
}

async function ifPlain<Result>(make: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof MillwrightError) return undefined;
    throw error;
  }
}

/** What one of them is refused for keeps all of them from being written; each is then heard by itself. */
function unlessAway(error: unknown): undefined {
  if (isDatabaseAway(error)) throw error;
}

const chunksOf = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
