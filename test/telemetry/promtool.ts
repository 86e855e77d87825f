import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory, cached, keep } from '../../temporal/program-cache.ts';

const run = promisify(execFile);

/** Prometheus' own tool: on PATH, or taken out of Debian's package into the cache. Undefined where neither is to be had. */
export async function promtool(): Promise<string | undefined> {
  const onPath = await run('promtool', ['--version']).catch(() => undefined);
  if (onPath) return 'promtool';
  const directory = cacheDirectory(process.env, 'promtool');
  const kept = cached(directory, 'promtool');
  if (kept) return kept;
  return await keep(directory, 'promtool', fromDebian).catch(() => undefined);
}

async function fromDebian(into: string): Promise<string> {
  const download = () => run('apt-get', ['download', 'prometheus'], { cwd: into });
  // A new machine has no lists of packages yet; apt takes what it needs for them from where it is told to.
  await download().catch(async () => {
    const lists = join(mkdtempSync(join(tmpdir(), 'millwright-apt-')), 'lists');
    mkdirSync(join(lists, 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::lists=${lists}`];
    await run('apt-get', [...own, 'update']);
    await run('apt-get', [...own, 'download', 'prometheus'], { cwd: into });
  });
  const [file = ''] = readdirSync(into).filter((name) => name.endsWith('.deb'));
  await run('dpkg-deb', ['--extract', join(into, file), join(into, 'files')]);
  return join(into, 'files', 'usr', 'bin', 'promtool');
}
