/** The machines of a cluster, by their kinds and names. No zod here: workflows import this file. */
export const machineRoles = ['control-plane', 'worker', 'bastion'] as const;
type MachineRole = (typeof machineRoles)[number];
/** Of a machine that becomes a node. */
export type NodeRole = Exclude<MachineRole, 'bastion'>;

/** How many machines of which kind a cluster is asked to have. */
interface Shape {
  readonly controlPlane: { readonly count: number; readonly flavor: string };
  readonly pools: readonly {
    readonly name: string;
    readonly count: number;
    readonly flavor: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
}

export interface NewMachine {
  readonly name: string;
  readonly role: MachineRole;
  readonly pool: string | null;
  readonly ordinal: number;
  readonly flavor: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Machines of one kind: those of these ordinals. */
export interface MachineGroup extends Omit<NewMachine, 'name' | 'ordinal'> {
  readonly ordinals: readonly number[];
}

const firstOf = (count: number): number[] => Array.from({ length: count }, (_, ordinal) => ordinal);

/** The nodes of a cluster as it is asked for: the control plane, and each pool. */
export const groupsOf = ({ controlPlane, pools }: Shape): MachineGroup[] => [
  {
    ...{ role: 'control-plane', pool: null, flavor: controlPlane.flavor, labels: {} },
    ordinals: firstOf(controlPlane.count),
  },
  ...pools.map(({ name, count, flavor, labels }) => ({
    ...{ role: 'worker' as const, pool: name, flavor, labels },
    ordinals: firstOf(count),
  })),
];

const stems: Readonly<Record<Exclude<MachineRole, 'worker'>, string>> = { 'control-plane': 'cp', bastion: 'bastion' };

/** `<cluster>-cp-0`, `<cluster>-<pool>-0`, `<cluster>-bastion-0`. */
export const machinesIn = (cluster: string, groups: readonly MachineGroup[]): NewMachine[] =>
  groups.flatMap(({ ordinals, ...group }) =>
    ordinals.map((ordinal) => {
      const stem = group.role === 'worker' ? group.pool : stems[group.role];
      return { name: `${cluster}-${stem}-${ordinal}`, ordinal, ...group };
    }),
  );
