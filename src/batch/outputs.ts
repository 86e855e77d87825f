import { type OperationType, partsOf, type ResourceKind } from '../domain/kinds.ts';
import type { Spelling } from './near.ts';

const ofEvery = ['id', 'name', 'region', 'provider', 'providerReference'] as const;

/** What an operation that creates gives to others: fields of its resource. One that deletes gives what it deleted. */
const ofCreate: Readonly<Record<ResourceKind, readonly string[]>> = {
  vm: [...ofEvery, 'address', 'addresses'],
  network: [...ofEvery, 'cidr'],
  volume: [...ofEvery, 'sizeGib'],
};
const ofDelete: readonly string[] = ['id', 'name'];

export function outputsOf(type: OperationType): readonly string[] {
  const { kind, verb } = partsOf(type);
  return verb === 'create' ? ofCreate[kind] : ofDelete;
}

/** Why an operation of this type will not give the output at `path`; undefined if it will. */
export function faultOfOutput(type: OperationType, path: string, spelling: Spelling): string | undefined {
  const [name = '', ...way] = path.split('.');
  const known = outputsOf(type);
  if (!known.includes(name)) return spelling.unknown('output', name, known, ` of a ${type}`);
  if (way.length === 0) return undefined;
  if (name !== 'addresses') return `The output "${name}" has no parts. Expected "${name}" alone.`;
  if (/^\d+(\.(network|address))?$/.test(way.join('.'))) return undefined;
  return `The output "addresses" has no part "${way.join('.')}". Expected addresses.0.address or addresses.0.network, counted from 0.`;
}
