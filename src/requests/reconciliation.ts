import type { Sql } from 'postgres';
import { auditedAround } from '../db/queries/audit.ts';
import type { Scope } from '../domain/observation.ts';
import { MillwrightError } from '../errors.ts';
import { type Actor, onPlatform } from './acting.ts';
import type { Catalog } from './catalog.ts';

/** Every provider of every region. */
export const scopesOf = ({ regions }: Catalog): Scope[] =>
  regions.flatMap(({ name, providers }) => providers.map((provider) => ({ region: name, provider })));

/** Throws `not_found` for what no region has. */
export function scopeIn(catalog: Catalog, { region, provider }: Scope): Scope {
  const scope = scopesOf(catalog).find((known) => known.region === region && known.provider === provider);
  if (scope) return scope;
  throw new MillwrightError('not_found', `There is no provider "${provider}" in a region "${region}".`);
}

/** What an operator does about a scope's runs, on record before it is done. */
export const decideOnRuns = (
  sql: Sql,
  actor: Actor,
  { region, provider }: Scope,
  { action, reason }: { readonly action: 'run' | 'pause' | 'resume'; readonly reason?: string | undefined },
  decide: () => Promise<void>,
): Promise<void> =>
  auditedAround(
    sql,
    {
      ...onPlatform(actor),
      action: `reconciliation.${action}`,
      resource: { kind: 'reconciliation', id: null, name: `${region}/${provider}` },
      ...(reason === undefined ? {} : { reason }),
    },
    decide,
  );
