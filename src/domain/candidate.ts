import type { PeerChoice, PlacementWish } from './placement.ts';

/** What a host has of each, and what a VM takes. */
export interface Room {
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  readonly gpus: number;
}
export const measures = ['vcpus', 'memoryMib', 'diskGib', 'gpus'] as const;

/** A compute host as placement sees it. */
export interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly provider: string;
  readonly rack: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly groups: readonly string[];
  readonly maintenance: string | null;
  /** What may be given in all. */
  readonly total: Room;
  readonly used: Room;
  /** Counts what operators change of it: a claim that was chosen by an older one is not made. */
  readonly shape: number;
}

export interface Demand {
  /** What is placed. Of hosts that are as good, it decides: another key may get another. */
  readonly key: string;
  readonly region: string;
  readonly provider: string;
  readonly room: Room;
  readonly wish: PlacementWish;
}

/** A VM of the project that is placed. */
export interface PlacedVm {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostId: string;
  readonly rack: string | null;
}

/** What the other VMs of the project mean for a demand. */
export interface Peers {
  /** The hosts to be on one of; undefined where there is no such wish, or none of those VMs is placed yet. */
  readonly near: ReadonlySet<string> | undefined;
  readonly away: ReadonlySet<string>;
  /** By rack: how many of those to be spread are in it; undefined without such a wish. */
  readonly inRack: ReadonlyMap<string, number> | undefined;
}
export const noPeers: Peers = { near: undefined, away: new Set(), inRack: undefined };

/** Whether a wish looks at other VMs, so that two of its project are not to be placed at the same moment. */
export const isRelative = ({ affinity, antiAffinity, spread }: PlacementWish): boolean =>
  affinity !== undefined || antiAffinity !== undefined || spread !== undefined;

type Labels = Readonly<Record<string, string>>;

export const hasLabels = (labels: Labels, wanted: Labels): boolean =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value);

const isMeant = ({ id, name, labels }: PlacedVm, choice: PeerChoice): boolean =>
  choice.vms?.some((reference) => reference === id || reference === name) === true ||
  (choice.labels !== undefined && hasLabels(labels, choice.labels));

export function peersOf({ affinity, antiAffinity, spread }: PlacementWish, placed: readonly PlacedVm[]): Peers {
  const hostsOf = (choice: PeerChoice | undefined): ReadonlySet<string> =>
    new Set(choice ? placed.filter((vm) => isMeant(vm, choice)).map(({ hostId }) => hostId) : []);
  const near = hostsOf(affinity);
  const inRack = spread && new Map<string, number>();
  for (const { rack, labels } of placed) {
    if (inRack && rack !== null && hasLabels(labels, spread.labels)) inRack.set(rack, (inRack.get(rack) ?? 0) + 1);
  }
  return { near: near.size > 0 ? near : undefined, away: hostsOf(antiAffinity), inRack };
}
