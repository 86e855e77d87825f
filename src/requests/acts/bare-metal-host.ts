import type { ActRequest } from '../../domain/acts.ts';
import type { BareMetalHost } from '../../domain/bare-metal-host.ts';
import type { HostSpec } from '../../domain/job.ts';
import { MillwrightError } from '../../errors.ts';
import type { Acting, nothingToDo, PreparedAct } from './index.ts';

const same: typeof nothingToDo = 'nothing-to-do';

const hostSpec = ({ name, bmcAddress, bmcSystemId, bmcCredential }: BareMetalHost): HostSpec => ({
  name,
  bmc: { address: bmcAddress, credential: bmcCredential, ...(bmcSystemId === null ? {} : { systemId: bmcSystemId }) },
});

/** What an act leaves behind on the disks: they are not clean any more. */
const dirty = { cleaned_at: null, cleaned_by: [] };

export function prepareHostAct(
  { type, body }: ActRequest,
  { there }: Acting<'bare-metal-host'>,
): PreparedAct | typeof nothingToDo {
  const spec = hostSpec(there);
  switch (type) {
    // Asked of a host that is there already, it is done: a batch may be applied again.
    case 'bare-metal-host.manage':
      return there.status === 'manageable' ? same : { spec };
    case 'bare-metal-host.provide':
      return there.status === 'available' ? same : { spec };
    case 'bare-metal-host.inspect':
    case 'bare-metal-host.clean':
    case 'bare-metal-host.undeploy':
    case 'bare-metal-host.unrescue':
    case 'bare-metal-host.power-on':
    case 'bare-metal-host.power-off':
    case 'bare-metal-host.reboot':
    case 'bare-metal-host.eject-media':
      return { spec };
    case 'bare-metal-host.adopt':
      return { spec, change: { row: dirty } };
    case 'bare-metal-host.deploy':
      if (there.status === 'active' && there.image?.url === body.imageUrl && there.image.until === body.until)
        return same;
      return deployed(there, { url: body.imageUrl, until: body.until });
    case 'bare-metal-host.rebuild': {
      const url = body.imageUrl ?? there.image?.url;
      if (url) return deployed(there, { url, until: body.until ?? there.image?.until ?? 'powered-off' });
      const detail = `Name an image: what "${there.name}" was deployed from is not known.`;
      throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/imageUrl', detail }] });
    }
    case 'bare-metal-host.rescue':
    case 'bare-metal-host.insert-media':
      return { spec: { ...spec, url: body.imageUrl } };
    case 'bare-metal-host.set-boot-device':
      return { spec: { ...spec, boot: { device: body.device, persistence: body.persistence } } };
    default:
      throw new MillwrightError('internal', `A bare-metal host has no ${type}.`);
  }
}

function deployed(there: BareMetalHost, image: NonNullable<BareMetalHost['image']>): PreparedAct {
  if (there.maintenance !== null) {
    throw new MillwrightError(
      'conflict',
      `The host "${there.name}" is in maintenance: ${there.maintenance}. Take it out first, then ask again.`,
    );
  }
  return {
    spec: { ...hostSpec(there), image },
    change: { row: { ...dirty, image_url: image.url, image_until: image.until } },
  };
}
