import { stringify } from 'yaml';
import { parseBatch } from '../../src/batch/parse.ts';
import { type GroupOptions, limit, median, type Result } from '../measure.ts';
import type { UpPlatform } from '../up.ts';
import { batchFile, edgesOf } from './graphs.ts';

const operations = 10_000;
const turns = 3;
const catalog = {
  regions: ['nrt-1', 'tpe-1'].map((name) => ({ name, providers: ['simulator'] })),
  flavors: ['small', 'medium', 'large'],
  images: ['debian-13'],
};

/** K8: what reading a large file takes, and its plan where the API makes plans. */
export async function benchFiles(platform: UpPlatform, note: GroupOptions['note']): Promise<Result[]> {
  const text = stringify(batchFile('large-file', edgesOf('layered', operations), 1000));
  const parsed = await medianSeconds(async () => void parseBatch(text, catalog));
  const results = [limit('K8-file', 'validation of a YAML file of 10,000 operations', parsed, 's', 'two seconds', 2)];
  if (!(await makesPlans(platform))) {
    note('missing', ['K8-plan: POST /api/tenant/v1/batches has no dryRun yet, so that no plan was measured.']);
    return results;
  }
  const planned = await medianSeconds(() => platform.post('/api/tenant/v1/batches?dryRun=true', text));
  results.push(limit('K8-plan', 'the plan of a YAML file of 10,000 operations', planned, 's', 'four seconds', 4));
  return results;
}

async function medianSeconds(once: () => Promise<unknown>): Promise<number> {
  const seconds = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const began = performance.now();
    await once();
    seconds.push((performance.now() - began) / 1000);
  }
  return median(seconds);
}

interface Described {
  readonly paths: Record<string, { readonly post?: { readonly parameters?: readonly { readonly name: string }[] } }>;
}

/** An API that does not know the parameter would pass over it, and apply the file. */
async function makesPlans({ endpoints }: UpPlatform): Promise<boolean> {
  const described = (await (await fetch(`${endpoints.api}/api/openapi.json`)).json()) as Described;
  return described.paths['/api/tenant/v1/batches']?.post?.parameters?.some(({ name }) => name === 'dryRun') ?? false;
}
