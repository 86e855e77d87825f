import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';
import type { Logger } from '../src/log.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The workflows as one script, for the isolates in which Temporal runs them. Bundling takes seconds of a core, which a
 * worker that was killed has not got: the script is kept under the hash of all that can go into it.
 */
export async function workflowBundle(cacheDir: string, log: Logger): Promise<{ codePath: string }> {
  const codePath = join(cacheDir, `workflows-${hashOfSources()}.js`);
  if (existsSync(codePath)) return { codePath };
  const tell = (message: string): void => log.debug(message);
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows/index.ts'),
    failureConverterPath: join(root, 'temporal/failure-converter.ts'),
    logger: {
      log: (_level, message) => tell(message),
      trace: tell,
      debug: tell,
      info: tell,
      warn: tell,
      error: (message) => log.error(message),
    },
  });
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
  const draft = `${codePath}.${process.pid}`;
  writeFileSync(draft, code);
  renameSync(draft, codePath);
  return { codePath };
}

/** What tells one build of the workflows from another: the script that runs, wherever it was made. */
export function buildIdOf({ codePath }: { readonly codePath: string }): string {
  const code = readFileSync(codePath, 'utf8').replaceAll(root, '');
  return createHash('sha256').update(code).digest('hex').slice(0, 12);
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  const sources = globSync(
    ['workflows/**/*.ts', 'src/**/*.ts', 'temporal/**/*.ts', 'activities/types.ts', 'package-lock.json'],
    { cwd: root },
  );
  for (const file of sources.toSorted()) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex').slice(0, 16);
}
