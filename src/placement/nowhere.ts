import { type Candidate, type Demand, measures, type Peers } from '../domain/candidate.ts';
import type { FilterName } from '../domain/placement-names.ts';
import type { Choice } from './choose.ts';
import { hostFilters } from './filters.ts';

const units = { vcpus: 'vCPUs', memoryMib: 'MiB of memory', diskGib: 'GiB of disk', gpus: 'GPUs' } as const;

const listed = (parts: readonly string[]): string => parts.join(', ');

/** Why no host takes a VM: how many each filter removed, and what would let it in. */
export function whyNowhere(
  hosts: Iterable<Candidate>,
  demand: Demand,
  peers: Peers,
  { explanation: { candidates, removed } }: Choice,
): string {
  const { region, provider, room } = demand;
  const wanted = measures.flatMap((measure) => (room[measure] > 0 ? [`${room[measure]} ${units[measure]}`] : []));
  const counts = removed.map(({ filter, count }) => `${filter} removed ${count}`);
  const help = whatWouldHelp(hosts, demand, peers);
  return `No compute host in region "${region}" of provider "${provider}" takes ${listed(wanted)}. Of ${candidates} hosts, ${
    counts.length > 0 ? listed(counts) : 'none is there to be removed'
  }. ${help}`;
}

/** The hosts that one filter alone keeps out, and what would change that. */
function whatWouldHelp(hosts: Iterable<Candidate>, demand: Demand, peers: Peers): string {
  const alone = new Map<FilterName, Candidate[]>();
  for (const host of hosts) {
    const against = hostFilters.filter(({ passes }) => !passes(host, demand, peers)).map(({ filter }) => filter);
    const filter = against[0] ?? 'rack-spread';
    if (against.length <= 1) alone.set(filter, [...(alone.get(filter) ?? []), host]);
  }
  const { wish } = demand;
  const say: Readonly<Record<Exclude<FilterName, 'region'>, (kept: readonly Candidate[]) => string>> = {
    maintenance: ([host, ...more]) =>
      `to end the maintenance of "${host?.name}" (${host?.maintenance})${more.length > 0 ? ` or of ${more.length} more` : ''}`,
    group: (kept) =>
      `to put one of ${kept.length} other hosts with room into the group "${wish.group}", or to ask for no group`,
    labels: (kept) => `to ask for fewer labels, with which ${kept.length} hosts with room would do`,
    capacity: (kept) => `to free room or add a host: the closest, ${closest(kept, demand)}`,
    gpu: (kept) => `to ask for fewer GPUs: ${kept.length} hosts have room but for these`,
    affinity: (kept) => `to leave out the affinity, without which ${kept.length} hosts would do`,
    'anti-affinity': (kept) => `to leave out the anti-affinity, without which ${kept.length} hosts would do`,
    'rack-spread': (kept) => `to put one of ${kept.length} hosts with room into a rack, or to leave out the spread`,
  };
  const helps = Object.entries(say).flatMap(([filter, sentence]) => {
    const kept = alone.get(filter as FilterName);
    return kept ? [sentence(kept)] : [];
  });
  if (helps.length > 0) return `It would help ${helps.join('; or ')}.`;
  return 'Every host is kept out by several of these at once: ask for less, or add a host that has all of it.';
}

/** The host that lacks least, and what it lacks. */
function closest(hosts: readonly Candidate[], { room }: Demand): string {
  const lacks = ({ total, used }: Candidate) =>
    measures.map((measure) => ({ measure, free: total[measure] - used[measure], wanted: room[measure] }));
  const share = (host: Candidate): number =>
    Math.max(...lacks(host).map(({ free, wanted }) => (wanted > free ? (wanted - free) / wanted : 0)));
  const [best] = hosts.toSorted((one, other) => share(one) - share(other));
  if (!best) return 'none, is there';
  const short = lacks(best).filter(({ free, wanted }) => wanted > free);
  return `"${best.name}", has ${listed(short.map(({ measure, free }) => `${Math.max(0, free)} ${units[measure]} free`))}`;
}
