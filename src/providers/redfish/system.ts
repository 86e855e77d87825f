import { z } from 'zod';
import type { PowerState } from '../../domain/host-states.ts';
import { ProviderError } from '../../errors.ts';
import type { FoundHost } from '../bare-metal.ts';
import type { Client } from './client.ts';

/** Controllers leave out what they do not have, give null for it, or something else altogether. */
export const maybe = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullish()
    .catch(null)
    .transform((value) => value ?? null);
const link = maybe(z.object({ '@odata.id': z.string() })).transform((to) => to?.['@odata.id']);
export const text = maybe(
  z
    .string()
    .trim()
    .transform((value) => value || null),
);
const health = maybe(z.object({ Health: text, HealthRollup: text, HealthRollUp: text }));

const rootSchema = z.object({ Systems: link });

/** A computer system, so far as it is used here (DMTF, ComputerSystem). */
const systemSchema = z.object({
  '@odata.id': z.string(),
  Id: z.string(),
  UUID: text,
  Manufacturer: text,
  Model: text,
  SerialNumber: text,
  BiosVersion: text,
  PowerState: text,
  Status: health,
  BootProgress: maybe(z.object({ LastState: text })),
  ProcessorSummary: maybe(z.object({ Count: maybe(z.int().min(0)), CoreCount: maybe(z.int().min(0)) })),
  MemorySummary: maybe(z.object({ TotalSystemMemoryGiB: maybe(z.number().min(0)) })),
  Boot: maybe(
    z.object({
      BootSourceOverrideTarget: text,
      BootSourceOverrideEnabled: text,
      'BootSourceOverrideTarget@Redfish.AllowableValues': maybe(z.array(z.string())),
    }),
  ),
  Processors: link,
  Storage: link,
  EthernetInterfaces: link,
  VirtualMedia: link,
  Links: maybe(z.object({ ManagedBy: maybe(z.array(z.object({ '@odata.id': z.string() }))) })),
  Actions: maybe(
    z.object({
      '#ComputerSystem.Reset': maybe(
        z.object({
          target: z.string(),
          'ResetType@Redfish.AllowableValues': maybe(z.array(z.string())),
          '@Redfish.ActionInfo': text,
        }),
      ),
    }),
  ),
});
export type System = z.infer<typeof systemSchema>;

export const readSystem = async (client: Client, path: string): Promise<System> => {
  const parsed = systemSchema.safeParse((await client.get(path)).json);
  if (parsed.success) return parsed.data;
  throw new ProviderError(
    'permanent',
    'internal',
    `The controller ${client.host} tells nothing of ${path} that can be read.`,
    {
      cause: parsed.error,
    },
  );
};

export async function listSystems(client: Client): Promise<System[]> {
  const { Systems: path } = rootSchema.parse((await client.get('/redfish/v1/')).json);
  const systems = z.array(systemSchema).safeParse(await client.members(path));
  if (systems.success) return systems.data;
  throw new ProviderError('permanent', 'internal', `The systems of the controller ${client.host} cannot be read.`, {
    cause: systems.error,
  });
}

/** The system by its id or UUID; the only one, where none is named. */
export async function findSystem(client: Client, systemId: string | undefined): Promise<System> {
  const systems = await listSystems(client);
  const named = systems.filter(({ Id, UUID }) => systemId === undefined || Id === systemId || UUID === systemId);
  const [system] = named;
  if (system && named.length === 1) return system;
  const ids = systems.map(({ Id }) => `"${Id}"`).join(', ') || 'none';
  throw systemId === undefined && systems.length > 0
    ? new ProviderError(
        'permanent',
        'invalid',
        `The controller ${client.host} has several systems: name one of ${ids}.`,
      )
    : new ProviderError(
        'permanent',
        'not_found',
        `The controller ${client.host} has no system${systemId === undefined ? '' : ` "${systemId}"`}, but ${ids}.`,
      );
}

export function powerOf({ PowerState: state }: System): PowerState | null {
  if (state === 'On') return 'on';
  return state === 'Off' ? 'off' : null;
}

export const foundHost = (system: System, address: string): FoundHost => ({
  reference: system.UUID ?? system.SerialNumber ?? `${address}${system['@odata.id']}`,
  address,
  systemId: system.Id,
  model: system.Model,
  serial: system.SerialNumber,
  power: powerOf(system),
});
