import type { MadeKind } from '../../src/domain/kinds.ts';
import type { Dice } from './dice.ts';

export const regions = ['tpe-1', 'nrt-1'] as const;
export type Region = (typeof regions)[number];

/** Few names, so that requests meet each other. */
const names: Readonly<Record<MadeKind, number>> = { vm: 24, network: 10, volume: 16, snapshot: 8, bucket: 6 };
export const nameOf = (dice: Dice, kind: MadeKind): string => `${kind}-${dice.int(1, names[kind])}`;
export function bodyOf(dice: Dice, kind: MadeKind): Record<string, unknown> {
  switch (kind) {
    case 'network':
      return { cidr: `10.${dice.int(1, 200)}.0.0/24` };
    case 'volume':
      return { sizeGib: dice.int(1, 20) };
    case 'bucket':
      return {};
    case 'snapshot':
      return { volume: nameOf(dice, 'volume') };
    case 'vm': {
      const networks = dice.chance(0.4) ? [nameOf(dice, 'network')] : [];
      const volumes = dice.chance(0.4) ? [nameOf(dice, 'volume')] : [];
      return { flavor: dice.pick(['small', 'medium']), image: 'debian-13', networks, volumes };
    }
  }
}
