import { type FailurePolicy, failurePolicies } from '../../src/domain/job.ts';
import { madeKinds, plural, type ResourceKind } from '../../src/domain/kinds.ts';
import { type FaultEffect, faultEffects } from '../../src/providers/simulator/faults.ts';
import { batchFile } from './batch-file.ts';
import type { Dice } from './dice.ts';
import { bodyOf, nameOf, type Region, regions } from './things.ts';

/** Every process of a supervised platform. */
const roles = ['api', 'control', 'region.tpe-1', 'region.nrt-1', 'simulator', 'temporal', 'postgres'] as const;
type RoleName = (typeof roles)[number];
const ownRoles = ['api', 'control', 'region.tpe-1', 'region.nrt-1', 'simulator'] as const;
type OwnRole = (typeof ownRoles)[number];

/** A request that changes something. */
export interface Request {
  readonly verb: 'create' | 'delete' | 'batch' | 'update';
  readonly kind: ResourceKind | 'batch';
  readonly name: string;
  readonly method: 'POST' | 'DELETE' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  /** Sent as `Idempotency-Key`. */
  readonly key?: string;
  readonly onFailure: FailurePolicy;
}

interface FaultSpec {
  readonly effect: FaultEffect;
  readonly operation: string;
  readonly region?: Region;
  readonly name?: string;
  readonly times?: number;
}

/** `which` and `choice` are large numbers: what there is to choose from is known only when their time has come. */
type Doing =
  | { readonly act: 'ask'; readonly tenant: number; readonly request: Request }
  /** A tenant looks at a job that may be another's. */
  | { readonly act: 'peek'; readonly tenant: number; readonly which: number }
  /** A request that was sent before is sent again under its key, so many times at once. */
  | { readonly act: 'again'; readonly which: number; readonly times: number }
  | { readonly act: 'cancel'; readonly which: number; readonly times: number }
  | { readonly act: 'settle'; readonly which: number; readonly choices: readonly number[] }
  | { readonly act: 'fault'; readonly fault: FaultSpec; readonly seconds: number }
  | { readonly act: 'kill'; readonly role: RoleName }
  /** `SIGSTOP`, and `SIGCONT` after so many seconds: a machine that is paused, and does not know it. */
  | { readonly act: 'freeze'; readonly role: RoleName; readonly seconds: number }
  /** Killed again whenever it comes back. */
  | { readonly act: 'keep-away'; readonly role: RoleName; readonly seconds: number }
  /** A clock that is wrong against all others for a while, and then right again. */
  | { readonly act: 'clock'; readonly role: OwnRole; readonly seconds: number; readonly offSeconds: number }
  | { readonly act: 'terminate'; readonly which: number };
export type Act = Doing & { readonly atMs: number };

interface Bounds {
  readonly seconds: number;
  readonly requestsPerSecond: number;
  readonly troublesPerSecond: number;
}

/** What is asked for and what goes wrong, and when: nothing but the seed decides it. */
export function writeScript(dice: Dice, { seconds, requestsPerSecond, troublesPerSecond }: Bounds): readonly Act[] {
  const requests = dice.fork('requests');
  const troubles = dice.fork('troubles');
  const acts: Act[] = [
    ...moments(requests, seconds, requestsPerSecond).map((atMs, index) => ({ atMs, ...doing(requests, index) })),
    ...moments(troubles, seconds, troublesPerSecond).map((atMs) => ({ atMs, ...trouble(troubles) })),
  ];
  return acts.toSorted((a, b) => a.atMs - b.atMs);
}

const moments = (dice: Dice, seconds: number, perSecond: number): number[] =>
  Array.from({ length: Math.round(seconds * perSecond) }, () => dice.int(0, seconds * 1000));

const large = 1_000_000;

function doing(dice: Dice, index: number): Doing {
  const act = dice.weighted({ create: 43, delete: 19, update: 6, batch: 6, again: 9, cancel: 8, settle: 12, peek: 3 });
  switch (act) {
    case 'create':
      return { act: 'ask', tenant: dice.int(0, large), request: create(dice, index) };
    case 'delete':
      return { act: 'ask', tenant: dice.int(0, large), request: remove(dice, index) };
    case 'update':
      return { act: 'ask', tenant: dice.int(0, large), request: update(dice, index) };
    case 'batch':
      return { act: 'ask', tenant: dice.int(0, large), request: batch(dice, index) };
    case 'peek':
      return { act, tenant: dice.int(0, large), which: dice.int(0, large) };
    case 'again':
      return { act, which: dice.int(0, large), times: dice.int(1, 3) };
    case 'cancel':
      return { act, which: dice.int(0, large), times: dice.chance(0.2) ? 2 : 1 };
    case 'settle': {
      const choices = Array.from({ length: dice.chance(0.25) ? 2 : 1 }, () => dice.int(0, large));
      return { act, which: dice.int(0, large), choices };
    }
  }
}

const keyed = (dice: Dice, index: number): { key?: string } => (dice.chance(0.7) ? { key: `key-${index}` } : {});

function create(dice: Dice, index: number): Request {
  const kind = dice.weighted({ vm: 5, network: 3, volume: 4 });
  const name = nameOf(dice, kind);
  const onFailure = dice.pick(failurePolicies);
  const region = dice.pick(regions);
  const timeout = dice.chance(0.1) ? { timeoutSeconds: dice.int(2, 8) } : {};
  const body = { name, region, ...bodyOf(dice, kind), onFailure, ...timeout };
  return {
    verb: 'create',
    kind,
    name,
    method: 'POST',
    path: `/${plural[kind]}`,
    body,
    onFailure,
    ...keyed(dice, index),
  };
}

function remove(dice: Dice, index: number): Request {
  const kind = dice.weighted({ vm: 5, network: 3, volume: 4 });
  const name = nameOf(dice, kind);
  const onFailure = dice.pick(failurePolicies);
  const timeout = dice.chance(0.1) ? `&timeoutSeconds=${dice.int(2, 8)}` : '';
  const path = `/${plural[kind]}/${name}?onFailure=${onFailure}${timeout}`;
  return { verb: 'delete', kind, name, method: 'DELETE', path, onFailure, ...keyed(dice, index) };
}

/** Each sets the label `mark` to what no other does. */
function update(dice: Dice, index: number): Request {
  const kind = dice.weighted({ vm: 5, network: 3, volume: 4 });
  const name = nameOf(dice, kind);
  const protection = dice.chance(0.4) ? { deletionProtection: dice.chance(0.4) } : {};
  const body = { labels: { mark: `m${index}` }, ...protection };
  return { verb: 'update', kind, name, method: 'PATCH', path: `/${plural[kind]}/${name}`, body, onFailure: 'keep' };
}

function batch(dice: Dice, index: number): Request {
  const name = `batch-${index}`;
  const onFailure = dice.pick(failurePolicies);
  const body = batchFile(dice, name, onFailure);
  return {
    verb: 'batch',
    kind: 'batch',
    name,
    method: 'POST',
    path: '/batches',
    body,
    onFailure,
    ...keyed(dice, index),
  };
}

function trouble(dice: Dice): Doing {
  const act = dice.weighted({ fault: 60, kill: 18, freeze: 10, 'keep-away': 4, clock: 5, terminate: 8 });
  switch (act) {
    case 'fault': {
      const kind = dice.pick(madeKinds);
      const call = dice.pick(['create', 'delete', 'get', '*']);
      const fault = {
        effect: dice.pick(faultEffects),
        operation: `${kind}.${call}`,
        ...(dice.chance(0.5) ? { region: dice.pick(regions) } : {}),
        ...(dice.chance(0.4) ? { name: nameOf(dice, kind) } : {}),
        ...(dice.chance(0.6) ? { times: dice.int(1, 4) } : {}),
      };
      return { act, fault, seconds: dice.int(1, 12) };
    }
    case 'kill':
      return { act, role: dice.pick(roles) };
    case 'freeze':
      return { act, role: dice.pick(roles), seconds: dice.int(1, 9) };
    case 'keep-away':
      return {
        act,
        role: dice.pick(['region.tpe-1', 'region.nrt-1', 'control', 'simulator']),
        seconds: dice.int(3, 12),
      };
    case 'clock':
      return { act, role: dice.pick(ownRoles), seconds: dice.int(1, 10), offSeconds: dice.int(-7200, 7200) };
    case 'terminate':
      return { act, which: dice.int(0, large) };
  }
}
