import { asc } from 'drizzle-orm';
import type { Database } from '../db/client.ts';
import { flavors, images, regions } from '../db/schema/catalog.ts';
import { computeHosts } from '../db/schema/placement.ts';

/** What an operator offers: small, and changed rarely. */
export interface Catalog {
  readonly regions: readonly {
    readonly name: string;
    readonly providers: readonly string[];
    /** The providers whose VMs are placed on compute hosts here. */
    readonly hosted: readonly string[];
  }[];
  readonly flavors: readonly {
    readonly name: string;
    readonly vcpus: number;
    readonly memoryMib: number;
    readonly diskGib: number;
  }[];
  readonly images: readonly string[];
}

const keptMs = 5000;

/** Reads the catalogue, at most every five seconds. */
export function catalogReader(database: Database): () => Promise<Catalog> {
  let read: { readonly at: number; readonly catalog: Promise<Catalog> } | undefined;
  return () => {
    if (!read || Date.now() - read.at > keptMs) {
      const catalog = readCatalog(database);
      read = { at: Date.now(), catalog };
      catalog.catch(() => {
        read = undefined;
      });
    }
    return read.catalog;
  };
}

async function readCatalog({ orm }: Database): Promise<Catalog> {
  const [regionRows, hostedRows, flavorRows, imageRows] = await Promise.all([
    orm.select().from(regions).orderBy(asc(regions.name)),
    orm.selectDistinct({ region: computeHosts.region, provider: computeHosts.provider }).from(computeHosts),
    orm.select().from(flavors).orderBy(asc(flavors.name)),
    orm.select().from(images).orderBy(asc(images.name)),
  ]);
  const hostedIn = (name: string): string[] =>
    hostedRows.filter(({ region }) => region === name).map(({ provider }) => provider);
  return {
    regions: regionRows.map((region) => ({ ...region, hosted: hostedIn(region.name) })),
    flavors: flavorRows,
    images: imageRows.map(({ name }) => name),
  };
}
