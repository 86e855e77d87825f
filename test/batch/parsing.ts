import { expect } from 'vitest';
import type { Catalog } from '../../src/batch/file.ts';
import { type ParseOptions, parseBatch } from '../../src/batch/parse.ts';
import { MillwrightError } from '../../src/errors.ts';

export const catalog: Catalog = {
  regions: [
    { name: 'nrt-1', providers: ['simulator'] },
    { name: 'tpe-1', providers: ['simulator'] },
    { name: 'lab-1', providers: ['incus', 'libvirt'] },
  ],
  flavors: ['small', 'medium', 'large'],
  images: ['debian-13'],
};

/** What is wrong with a file, a line for each fault: `line:column pointer detail`. */
export function faultsOf(text: string, options: ParseOptions = {}): string[] {
  try {
    parseBatch(text, catalog, options);
  } catch (error) {
    if (!(error instanceof MillwrightError)) throw error;
    expect(error.code).toBe('invalid');
    return error.faults.map(
      ({ file, line, column, pointer, detail }) =>
        `${file === undefined ? '' : `${file}:`}${line}:${column} ${pointer} ${detail}`,
    );
  }
  return [];
}

/** A file of one header line and these operations, each of them one line, from line 3. */
export const file = (...operations: string[]): string =>
  ['name: shop', 'operations:', ...operations.map((operation) => `  - ${operation}`), ''].join('\n');

/** Operations that have no fault. */
export const network = '{ id: net, type: network.create, region: tpe-1, with: { name: shop, cidr: 10.0.0.0/24 } }';
export const volume = (id: string, rest = ''): string =>
  `{ id: ${id}, type: volume.create, region: tpe-1, with: { name: ${id}, sizeGib: 1 }${rest} }`;
export const vm = (rest: string): string => `{ id: vm, type: vm.create, region: tpe-1, with: { ${rest} } }`;
export const sound = 'name: vm, flavor: small, image: debian-13';

/** A text without its marks, and the place of each: `▸` stands before what a fault is to point to. */
export function marked(text: string): { text: string; places: string[] } {
  const places: string[] = [];
  const lines = text.split('\n').map((line, index) => {
    const [first = '', ...rest] = line.split('▸');
    let clean = first;
    for (const part of rest) {
      places.push(`${index + 1}:${clean.length + 1}`);
      clean += part;
    }
    return clean;
  });
  return { text: lines.join('\n'), places };
}
