import { type Candidate, type Demand, hasLabels, type Peers } from '../domain/candidate.ts';
import type { FilterName } from '../domain/placement-names.ts';

type Passes = (host: Candidate, demand: Demand, peers: Peers) => boolean;
type IsAsked = (demand: Demand, peers: Peers) => boolean;
/** What each says of one host; spread over racks is seen to among those that remain. */
export type HostFilter = Exclude<FilterName, 'rack-spread'>;

const passes: Readonly<Record<HostFilter, Passes>> = {
  region: (host, demand) => host.region === demand.region && host.provider === demand.provider,
  maintenance: (host) => host.maintenance === null,
  group: (host, { wish: { group } }) => group === undefined || host.groups.includes(group),
  labels: (host, { wish: { labels } }) => labels === undefined || hasLabels(host.labels, labels),
  capacity: ({ total, used }, { room }) =>
    used.vcpus + room.vcpus <= total.vcpus &&
    used.memoryMib + room.memoryMib <= total.memoryMib &&
    used.diskGib + room.diskGib <= total.diskGib,
  gpu: ({ total, used }, { room }) => used.gpus + room.gpus <= total.gpus,
  affinity: (host, _demand, { near }) => near === undefined || near.has(host.id),
  'anti-affinity': (host, _demand, { away }) => !away.has(host.id),
};
export const hostFilters = Object.entries(passes).map(([filter, passes]) => ({ filter: filter as HostFilter, passes }));
export type HostFilters = typeof hostFilters;

/** Filters that remove nothing unless something is asked for. */
const asked: Partial<Readonly<Record<HostFilter, IsAsked>>> = {
  group: ({ wish: { group } }) => group !== undefined,
  labels: ({ wish: { labels } }) => labels !== undefined,
  gpu: ({ room: { gpus } }) => gpus > 0,
  affinity: (_demand, { near }) => near !== undefined,
  'anti-affinity': (_demand, { away }) => away.size > 0,
};

/** Those that may remove a host for this demand: each is asked of thousands of hosts. */
export const filtersFor = (demand: Demand, peers: Peers): HostFilters =>
  hostFilters.filter(({ filter }) => asked[filter]?.(demand, peers) ?? true);

/** Of hosts that remain, those in a rack that has the fewest of the VMs to be spread. One that stands in no rack is in none of those. */
export function inEmptiestRacks(hosts: readonly Candidate[], { inRack }: Peers): readonly Candidate[] {
  if (!inRack) return hosts;
  const peersIn = (rack: string): number => inRack.get(rack) ?? 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (const { rack } of hosts) if (rack !== null) fewest = Math.min(fewest, peersIn(rack));
  return hosts.filter(({ rack }) => rack !== null && peersIn(rack) === fewest);
}
