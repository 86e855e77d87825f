import { type BatchOperationType, isOperationType, kindOf, type ResourceKind } from '../domain/kinds.ts';
import type { Spelling } from './near.ts';

const ofEvery = ['id', 'name', 'region', 'provider', 'providerReference'] as const;

/** What an operation that creates or changes gives to others: fields of its resource. One that deletes gives what it deleted. */
const ofResource: Readonly<Record<ResourceKind, readonly string[]>> = {
  vm: [...ofEvery, 'address', 'addresses'],
  network: [...ofEvery, 'cidr'],
  'bare-metal-host': [...ofEvery, 'bmcAddress', 'power'],
  volume: [...ofEvery, 'sizeGib', 'attachedTo'],
  snapshot: [...ofEvery, 'sizeGib'],
  bucket: ofEvery,
  cluster: [...ofEvery, 'endpoint', 'version'],
};
const ofDelete: readonly string[] = ['id', 'name'];
const ofApproval: readonly string[] = ['approved', 'by', 'reason', 'at'];
const ofCall: readonly string[] = ['status', 'headers', 'body'];

/** The names of an operation's outputs; of a `group.join` they are the keys of its members. */
export function outputsOf(type: BatchOperationType): readonly string[] {
  const kind = kindOf(type);
  if (kind) return isOperationType(type) && type.endsWith('.delete') ? ofDelete : ofResource[kind];
  if (type === 'wait.approval') return ofApproval;
  return type === 'http.request' ? ofCall : [];
}

/** Why an operation of this type, no group, will not give the output at `path`; undefined if it will. */
export function faultOfOutput(type: BatchOperationType, path: string, spelling: Spelling): string | undefined {
  const [name = '', ...way] = path.split('.');
  const known = outputsOf(type);
  if (known.length === 0) return `A ${type} gives no outputs.`;
  if (!known.includes(name)) return spelling.unknown('output', name, known, ` of a ${type}`);
  if (way.length === 0) return undefined;
  if (way.includes('*')) return `"*" stands for the members of a group, and a ${type} has none.`;
  if (type === 'http.request' && name !== 'status') return undefined;
  if (name !== 'addresses') return `The output "${name}" has no parts. Expected "${name}" alone.`;
  if (/^\d+(\.(network|address))?$/.test(way.join('.'))) return undefined;
  return `The output "addresses" has no part "${way.join('.')}". Expected addresses.0.address or addresses.0.network, counted from 0.`;
}
