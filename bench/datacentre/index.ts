import type { GroupOptions, Result } from '../measure.ts';
import { benchAddresses } from './addresses.ts';
import { benchLists } from './lists.ts';
import { benchPlacement } from './placement.ts';

const parts: Readonly<Record<string, (options: GroupOptions) => Promise<Result[]>>> = {
  addresses: benchAddresses,
  placement: benchPlacement,
  lists: benchLists,
};

/** K5 and K9: what a data centre has of its own, given out to many at once, and listed. */
export async function benchDatacentre(options: GroupOptions): Promise<Result[]> {
  const chosen = Object.entries(parts).filter(([part]) => options.only.length === 0 || options.only.includes(part));
  if (chosen.length === 0) {
    throw new Error(`There is no part ${options.only.join(', ')}. There are: ${Object.keys(parts).join(', ')}.`);
  }
  const results: Result[] = [];
  for (const [, measure] of chosen) results.push(...(await measure(options)));
  return results;
}
