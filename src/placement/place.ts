import type { Sql, TransactionSql } from 'postgres';
import { placedBeside } from '../db/queries/compute-hosts.ts';
import { type Claimant, type Claimed, claimRoom, hostOf } from '../db/queries/placement-claims.ts';
import { type Demand, isRelative, noPeers, type Peers, peersOf, type Room } from '../domain/candidate.ts';
import { MillwrightError } from '../errors.ts';
import { choose } from './choose.ts';
import type { Hosts } from './hosts.ts';
import { whyNowhere } from './nowhere.ts';

export interface PlacedOn {
  readonly id: string;
  readonly name: string;
}

/** More claims than this are lost only where all hosts are as good as full. */
const mostConflicts = 100;

/**
 * Chooses a host in memory, and claims its room in the database by one statement; where another was faster, the next
 * one. The same host however often it is asked. Throws `capacity` where no host remains, with how many each filter
 * removed, and `conflict` where the job is no longer at work.
 *
 * What looks at other VMs of its project is placed one after another in it: of two that are to stay apart, the second
 * sees the first.
 */
export async function place(sql: Sql, hosts: Hosts, claimant: Claimant, demand: Demand): Promise<PlacedOn> {
  await hosts.refresh();
  if (!isRelative(demand.wish)) return await claimBest(sql, hosts, claimant, demand, noPeers);
  return await sql.begin(async (transaction) => {
    await transaction`
      SELECT pg_advisory_xact_lock(hashtextextended('placement ' || project_id, 0)) FROM resources WHERE id = ${demand.key}`;
    const peers = peersOf(demand.wish, await placedBeside(transaction, demand.key));
    return await claimBest(transaction, hosts, claimant, demand, peers);
  });
}

async function claimBest(
  sql: Sql | TransactionSql,
  hosts: Hosts,
  claimant: Claimant,
  demand: Demand,
  peers: Peers,
): Promise<PlacedOn> {
  let reloaded = false;
  for (let conflicts = 0; conflicts <= mostConflicts; ) {
    const choice = choose(hosts.each, demand, peers);
    const { chosen } = choice;
    if (!chosen) {
      const held = await hostOf(sql, claimant.key);
      if (held) return held;
      if (reloaded) throw new MillwrightError('capacity', whyNowhere(hosts.each, demand, peers, choice));
      await hosts.reload();
      reloaded = true;
      continue;
    }
    const claimed = await assuming(hosts, chosen.id, demand.room, () =>
      claimRoom(sql, claimant, chosen, demand.room, { ...choice.explanation, conflicts }),
    );
    if ('held' in claimed) return claimed.held;
    if (claimed.refused === 'gone')
      throw new MillwrightError('conflict', `Job ${claimant.jobId} is no longer at work on ${claimant.key}.`);
    await hosts.reread(chosen.id);
    conflicts += 1;
  }
  throw new MillwrightError('unavailable', `${mostConflicts} hosts were taken by others meanwhile. Try again.`);
}

/** While a claim is being made its room counts as taken, and stays so where it is had on that host. */
async function assuming(hosts: Hosts, hostId: string, room: Room, claim: () => Promise<Claimed>): Promise<Claimed> {
  hosts.assume(hostId, room);
  let isHad = false;
  try {
    const claimed = await claim();
    isHad = 'held' in claimed && claimed.held.id === hostId;
    return claimed;
  } finally {
    if (!isHad) hosts.assume(hostId, room, -1);
  }
}
