import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const source = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** A supervisor in a process of its own, whose platform is ready; to be killed. */
export async function startSupervisor(home: string, program: string): Promise<ChildProcess> {
  const main = `
    const { startPlatform } = await import(${source('platform/supervisor.ts')});
    const { readConfig } = await import(${source('config/index.ts')});
    const config = readConfig({ MILLWRIGHT_HOME: ${JSON.stringify(home)} });
    const platform = await startPlatform({ config, port: 0, program: ${JSON.stringify(program)} }, () => {});
    process.on('SIGTERM', () => platform.stop().then(() => process.exit(0)));
    process.send('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', main], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const died = once(child, 'exit').then(() => Promise.reject(new Error('the supervisor died before it was ready')));
  await Promise.race([once(child, 'message'), died]);
  died.catch(() => {});
  return child;
}
