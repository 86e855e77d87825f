import type { HostSpec, JobResult } from '../../src/domain/job.ts';
import { ProviderError } from '../../src/errors.ts';
import type { BareMetalDriver, HostTarget } from '../../src/providers/bare-metal.ts';
import type { CallContext, Driver } from '../../src/providers/types.ts';
import type { RegionActivities, RegionCall } from '../types.ts';

type HostActivities = Pick<RegionActivities, Extract<keyof RegionActivities, `${string}Host${string}`>>;

/** Each is one call of a driver of metal, and tells what it learnt as columns of the host's row. */
export function hostActivities(
  driver: (provider: string) => Driver,
  contextOf: (call: RegionCall) => CallContext,
): HostActivities {
  function metal({ provider }: RegionCall): BareMetalDriver {
    const { bareMetal } = driver(provider);
    if (bareMetal) return bareMetal;
    throw new ProviderError('permanent', 'invalid', `The provider "${provider}" has no bare metal.`);
  }
  /** The same operation however often it is tried; another one when it is undone. */
  const targetOf = ({ key, jobId, step }: RegionCall, { name, bmc }: HostSpec): HostTarget => ({
    ...{ key, name, bmc, operation: `${jobId}/${step}` },
  });
  const powered = async (power: Promise<unknown>, is: 'on' | 'off'): Promise<JobResult> => {
    await power;
    return { row: { power: is } };
  };

  return {
    verifyHost: async (call, spec) => {
      const [host, context] = [targetOf(call, spec), contextOf(call)];
      const { reference } = await metal(call).verify(host, context);
      return { providerReference: reference, row: { ...(await metal(call).health(host, context)) } };
    },
    inspectHost: async (call, spec) => {
      const [host, context] = [targetOf(call, spec), contextOf(call)];
      const inventory = await metal(call).inspect(host, context);
      return { row: { inventory, ...(await metal(call).health(host, context)) } };
    },
    setHostPower: async (call, spec, action) => ({
      row: { power: await metal(call).setPower(targetOf(call, spec), action, contextOf(call)) },
    }),
    setHostBoot: async (call, spec) => {
      await metal(call).setBootDevice(targetOf(call, spec), spec.boot, contextOf(call));
      return {};
    },
    insertHostMedia: async (call, spec) => {
      await metal(call).insertMedia(targetOf(call, spec), spec.url, contextOf(call));
      return {};
    },
    ejectHostMedia: async (call, spec) => {
      await metal(call).ejectMedia(targetOf(call, spec), contextOf(call));
      return {};
    },
    cleanHost: async (call, spec) => {
      const { cleanedAt, steps } = await metal(call).clean(targetOf(call, spec), contextOf(call));
      return { row: { power: 'off', cleaned_at: cleanedAt, cleaned_by: steps, image_url: null, image_until: null } };
    },
    deployHost: (call, spec) => powered(metal(call).deploy(targetOf(call, spec), spec.image, contextOf(call)), 'on'),
    undeployHost: (call, spec) => powered(metal(call).undeploy(targetOf(call, spec), contextOf(call)), 'off'),
    rescueHost: (call, spec) => powered(metal(call).rescue(targetOf(call, spec), spec.url, contextOf(call)), 'on'),
    unrescueHost: (call, spec) => powered(metal(call).unrescue(targetOf(call, spec), contextOf(call)), 'on'),
  };
}
