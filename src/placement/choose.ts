import type { Candidate, Demand, Peers } from '../domain/candidate.ts';
import type { Explanation } from '../domain/placement.ts';
import { type FilterName, filterNames } from '../domain/placement-names.ts';
import { filtersFor, inEmptiestRacks } from './filters.ts';
import { digits, partsOf, scoreOf } from './weights.ts';

export interface Choice {
  /** Undefined where no host remains. */
  readonly chosen: Candidate | undefined;
  readonly explanation: Explanation;
}

const shown = 3;

/**
 * Filters, then weighs, then takes the best. The same hosts and demand always give the same choice: of hosts that are as
 * good, the demand's key decides.
 */
export function choose(hosts: Iterable<Candidate>, demand: Demand, peers: Peers): Choice {
  const removed = new Map<FilterName, number>();
  const count = (filter: FilterName, more = 1): unknown => removed.set(filter, (removed.get(filter) ?? 0) + more);
  const filters = filtersFor(demand, peers);
  const passing: Candidate[] = [];
  let candidates = 0;
  for (const host of hosts) {
    candidates += 1;
    const against = filters.find(({ passes }) => !passes(host, demand, peers));
    if (against) count(against.filter);
    else passing.push(host);
  }
  const remaining = inEmptiestRacks(passing, peers);
  if (remaining.length < passing.length) count('rack-spread', passing.length - remaining.length);
  const best = bestOf(remaining, demand);
  return {
    chosen: best[0]?.host,
    explanation: {
      candidates,
      removed: filterNames.flatMap((filter) => {
        const count = removed.get(filter);
        return count ? [{ filter, count }] : [];
      }),
      remaining: remaining.length,
      best: best.map(({ host, score }) => ({
        host: host.name,
        rack: host.rack,
        score: digits(score),
        parts: partsOf(host, demand.room),
      })),
      conflicts: 0,
    },
  };
}

interface Scored {
  readonly host: Candidate;
  readonly score: number;
  /** Of as good hosts, the lowest is taken. */
  readonly mixed: number;
}

/** The few best, the best first. */
function bestOf(hosts: readonly Candidate[], { key, room }: Demand): readonly Scored[] {
  const best: Scored[] = [];
  let last: Scored | undefined;
  for (const host of hosts) {
    const score = scoreOf(host, room);
    // Most are not among the best by far.
    if (last && score < last.score) continue;
    const scored = { host, score, mixed: mixed(host.id, key) };
    if (last && !isBetter(scored, last)) continue;
    const at = best.findIndex((other) => isBetter(scored, other));
    best.splice(at === -1 ? best.length : at, 0, scored);
    if (best.length > shown) best.pop();
    if (best.length === shown) last = best.at(-1);
  }
  return best;
}

function isBetter(one: Scored, other: Scored): boolean {
  if (one.score !== other.score) return one.score > other.score;
  return one.mixed === other.mixed ? one.host.id < other.host.id : one.mixed < other.mixed;
}

/** FNV-1a (draft-eastlake-fnv), 32 bits. */
function mixed(id: string, key: string): number {
  let hash = 0x811c9dc5;
  for (const text of [key, id]) {
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
