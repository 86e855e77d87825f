import type { Fault } from '../errors.ts';
import type { Catalog } from './catalog.ts';

/** What a request names of the catalogue. A fault says what there is instead. */
export const noRegion = ({ regions }: Catalog, region: string): Fault => ({
  pointer: '/region',
  detail: `There is no region "${region}". There are: ${listed(regions.map(({ name }) => name))}.`,
});
export const noFlavor = ({ flavors }: Catalog, flavor: string, pointer = '/flavor'): Fault => ({
  pointer,
  detail: `There is no flavor "${flavor}". There are: ${listed(flavors.map(({ name }) => name))}.`,
});
export const noImage = ({ images }: Catalog, image: string): Fault => ({
  pointer: '/image',
  detail: `There is no image "${image}". There are: ${listed(images)}.`,
});

/** The provider meant in a region: the one that is named, or the only one. */
export function providerIn(
  catalog: Catalog,
  { region, provider }: { readonly region: string; readonly provider?: string | undefined },
): { readonly provider: string } | { readonly fault: Fault } {
  const known = catalog.regions.find(({ name }) => name === region);
  if (!known) return { fault: noRegion(catalog, region) };
  const [only] = known.providers;
  if (provider === undefined && only !== undefined && known.providers.length === 1) return { provider: only };
  if (provider !== undefined && known.providers.includes(provider)) return { provider };
  const found = provider === undefined ? 'Name a provider' : `Region "${region}" has no provider "${provider}"`;
  const detail = `${found}. Region "${region}" has: ${listed(known.providers)}.`;
  return { fault: { pointer: '/provider', detail } };
}

/** Whether VMs are placed on compute hosts of ours there. */
export const isHosted = ({ regions }: Catalog, region: string, provider: string): boolean =>
  regions.find(({ name }) => name === region)?.hosted.includes(provider) ?? false;

const listed = (names: readonly string[]): string => (names.length > 0 ? names.join(', ') : 'none');
