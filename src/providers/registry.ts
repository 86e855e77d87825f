import { MillwrightError } from '../errors.ts';
import { redfish } from './redfish/driver.ts';
import { simulator } from './simulator/driver.ts';
import type { Driver, DriverModule, DriverSettings } from './types.ts';

const modules: readonly DriverModule[] = [simulator, redfish];

/** The providers that there is a driver for. */
export const driverNames: readonly string[] = modules.map(({ manifest }) => manifest.name);

/** Opens a provider's driver for one region. Throws `invalid` for a name without a driver, and for settings that it cannot use. */
export function openDriver(name: string, settings: DriverSettings): Driver {
  const module = modules.find(({ manifest }) => manifest.name === name);
  if (module) return module.open(settings);
  throw new MillwrightError('invalid', `There is no driver "${name}". There are: ${driverNames.join(', ')}.`);
}
