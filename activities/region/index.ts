import { Context } from '@temporalio/activity';
import type { JobResult } from '../../src/domain/job.ts';
import type { CallContext, Driver, Provided, ProvidedVm } from '../../src/providers/types.ts';
import { heartbeatIntervalMs } from '../../temporal/names.ts';
import type { RegionActivities, RegionCall } from '../types.ts';
import { hostActivities } from './bare-metal-host.ts';
import { clusterActivities } from './cluster.ts';
import { fittingLines } from './console.ts';
import { type AskStanding, createFence } from './fence.ts';
import { type HttpRules, request } from './http.ts';
import { observeActivities } from './observe.ts';

/** Opens the driver of a provider in this worker's region; throws a permanent error for one that it does not have. */
export type Drivers = (provider: string) => Driver;

/** Timers hold 31 bits. */
const longestTimerMs = 2 ** 31 - 1;

/** What a driver's call may use of the activity that it runs in. */
function callContext({ deadlineAt }: RegionCall, ask: AskStanding): CallContext {
  const context = Context.current();
  const { cancellationSignal } = context;
  const startedAt = Date.now();
  const leftMs = deadlineAt ? Math.max(0, Date.parse(deadlineAt) - Date.now()) : longestTimerMs;
  const signal =
    leftMs < longestTimerMs
      ? AbortSignal.any([cancellationSignal, AbortSignal.timeout(Math.round(leftMs))])
      : cancellationSignal;
  return {
    signal,
    // Most calls are done before anybody would miss a sign of life: each costs Temporal a write.
    progress: (detail) => {
      if (Date.now() - startedAt >= heartbeatIntervalMs) context.heartbeat(detail);
    },
    stillMine: createFence(context.info, ask),
  };
}

const resultOf = ({ reference }: Provided): JobResult => ({ providerReference: reference });
const vmResultOf = (vm: ProvidedVm): JobResult => ({ ...resultOf(vm), addresses: vm.addresses });

/** What is gone leaves nothing to tell. */
const removed = (removal: Promise<void>): Promise<JobResult> => removal.then(() => ({}));

/** Each is one call of a driver: what makes them safe to repeat is in the drivers, what tries them again in the workflow. */
export function createRegionActivities(driver: Drivers, ask: AskStanding, http: HttpRules): RegionActivities {
  const contextOf = (call: RegionCall): CallContext => callContext(call, ask);
  return {
    ensureVm: async (call, spec) =>
      vmResultOf(await driver(call.provider).compute.ensure(call.key, spec, contextOf(call))),
    removeVm: (call) => removed(driver(call.provider).compute.remove(call.key, contextOf(call))),
    setVmState: async (call, state) =>
      resultOf(await driver(call.provider).compute.setState(call.key, state, contextOf(call))),
    rebootVm: async (call, token) =>
      resultOf(await driver(call.provider).compute.reboot(call.key, token, contextOf(call))),
    resizeVm: async (call, size) =>
      resultOf(await driver(call.provider).compute.resize(call.key, size, contextOf(call))),
    rebuildVm: async (call, spec, token) =>
      resultOf(await driver(call.provider).compute.rebuild(call.key, spec, token, contextOf(call))),
    readConsole: async (call, lines) =>
      fittingLines(await driver(call.provider).compute.console(call.key, lines, contextOf(call)), lines),
    ensureNetwork: async (call, spec) =>
      resultOf(await driver(call.provider).network.ensure(call.key, spec, contextOf(call))),
    removeNetwork: (call) => removed(driver(call.provider).network.remove(call.key, contextOf(call))),
    ensureVolume: async (call, spec) =>
      resultOf(await driver(call.provider).storage.ensure(call.key, spec, contextOf(call))),
    removeVolume: (call) => removed(driver(call.provider).storage.remove(call.key, contextOf(call))),
    attachVolume: async (call, vm) =>
      resultOf(await driver(call.provider).storage.attach(call.key, vm.key, contextOf(call))),
    detachVolume: (call, vm) => removed(driver(call.provider).storage.detach(call.key, vm.key, contextOf(call))),
    growVolume: async (call, sizeGib) =>
      resultOf(await driver(call.provider).storage.grow(call.key, sizeGib, contextOf(call))),
    ...hostActivities(driver, contextOf),
    ensureSnapshot: async (call, spec) =>
      resultOf(await driver(call.provider).storage.snapshots.ensure(call.key, spec, contextOf(call))),
    removeSnapshot: (call) => removed(driver(call.provider).storage.snapshots.remove(call.key, contextOf(call))),
    restoreVolume: async (call, snapshot, token) =>
      resultOf(await driver(call.provider).storage.restore(call.key, snapshot.key, token, contextOf(call))),
    ensureBucket: async (call, spec) => {
      const bucket = await driver(call.provider).storage.buckets.ensure(call.key, spec, contextOf(call));
      return { ...resultOf(bucket), row: { endpoint: bucket.endpoint } };
    },
    removeBucket: (call, { force }) => {
      const { buckets } = driver(call.provider).storage;
      return removed(force ? buckets.destroy(call.key, contextOf(call)) : buckets.remove(call.key, contextOf(call)));
    },
    createBucketKey: async (call, key) =>
      resultOf(await driver(call.provider).storage.buckets.createKey(call.key, key, contextOf(call))),
    revokeBucketKey: (call, accessKey) =>
      removed(driver(call.provider).storage.buckets.revokeKey(call.key, accessKey, contextOf(call))),
    ...clusterActivities(driver, contextOf),
    ...observeActivities(driver, contextOf),
    requestHttp: async (call, spec) => ({ outputs: await request(call.key, spec, http, contextOf(call)) }),
  };
}
