import { z } from 'zod';
import type { PowerAction, PowerState } from '../../domain/host-states.ts';
import { ProviderError } from '../../errors.ts';
import type { CallContext } from '../types.ts';
import type { Client } from './client.ts';
import { land } from './land.ts';
import { powerOf, readSystem, type System } from './system.ts';

/** The types of reset that bring a state about, the mildest first. */
const resets = {
  on: ['On', 'ForceOn', 'PushPowerButton'],
  off: ['GracefulShutdown', 'ForceOff'],
  'force-off': ['ForceOff'],
  restart: ['ForceRestart', 'GracefulRestart', 'PowerCycle'],
} as const;
type Way = keyof typeof resets;

const actionInfoSchema = z.object({
  Parameters: z.array(z.object({ Name: z.string(), AllowableValues: z.array(z.string()).nullish() })),
});

interface Machine {
  readonly client: Client;
  /** As it was when the call began; what changes is read anew. */
  readonly system: System;
  readonly landingMs: number;
}

export async function setPower(machine: Machine, action: PowerAction, call: CallContext): Promise<PowerState> {
  if (action !== 'reboot' && action !== 'force-reboot') return bring(machine, action, call);
  const off = action === 'reboot' ? 'off' : 'force-off';
  const { allowed } = await resetAction(machine);
  // In two steps that can be seen, so that a lost answer or a dead worker leaves no doubt how far it came.
  if (isOffered(allowed, off)) await bring(machine, off, call);
  else if (powerOf(await read(machine)) === 'on') await reset(machine, 'restart');
  return bring(machine, 'on', call);
}

/** Has the power on or off, however late it comes. */
function bring(machine: Machine, way: 'on' | 'off' | 'force-off', call: CallContext): Promise<PowerState> {
  const wanted = way === 'on' ? 'on' : 'off';
  // The last way is asked for twice: a controller that is busy may forget the first.
  const asks = way === 'off' ? (['off', 'force-off', 'force-off'] as const) : ([way, way] as const);
  return land(
    {
      what: `Power ${wanted}`,
      look: async () => powerOf(await read(machine)),
      isThere: (now) => now === wanted,
      asks: asks.map((ask) => () => reset(machine, ask)),
      landingMs: machine.landingMs,
    },
    call,
  ).then(() => wanted);
}

const read = ({ client, system }: Machine): Promise<System> => readSystem(client, system['@odata.id']);

async function reset(machine: Machine, way: Way): Promise<void> {
  const { target, allowed } = await resetAction(machine);
  // What is not offered is made up for by the next stronger, and a power button that only asks by one that does.
  const types = way === 'force-off' && !isOffered(allowed, way) ? resets.off : resets[way];
  const type = types.find((candidate) => allowed === undefined || allowed.includes(candidate));
  if (type) return machine.client.post(target, { ResetType: type });
  throw new ProviderError(
    'permanent',
    'precondition',
    `The controller ${machine.client.host} offers none of ${types.join(', ')}, but ${allowed?.join(', ') || 'nothing'}.`,
  );
}

const isOffered = (allowed: readonly string[] | undefined, way: Way): boolean =>
  allowed === undefined || resets[way].some((type) => allowed.includes(type));

/** The action, and the types that it takes; `undefined` where the controller does not say which. */
async function resetAction({ client, system }: Machine) {
  const action = system.Actions?.['#ComputerSystem.Reset'];
  if (!action) {
    throw new ProviderError(
      'permanent',
      'precondition',
      `The controller ${client.host} offers no reset of ${system.Id}.`,
    );
  }
  const info = action['@Redfish.ActionInfo'];
  const listed = action['ResetType@Redfish.AllowableValues'];
  if (listed ?? !info) return { target: action.target, allowed: listed ?? undefined };
  const parameters = actionInfoSchema.safeParse((await client.find(info))?.json).data?.Parameters;
  const allowed = parameters?.find(({ Name }) => Name === 'ResetType')?.AllowableValues;
  return { target: action.target, allowed: allowed ?? undefined };
}
