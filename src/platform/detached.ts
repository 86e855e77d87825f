import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { MillwrightError } from '../errors.ts';
import { homePaths, makeHome } from './home.ts';
import { lastWords, openLog } from './logs.ts';

const mainProgram = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** What a detached supervisor tells the command that waits for it, until one of the last two. */
const newsSchema = z.union([
  z.object({ line: z.string() }),
  z.object({ ready: z.literal(true) }),
  z.object({ failed: z.string() }),
]);
type News = z.infer<typeof newsSchema>;

/** Tells the command that waits, if there is one and it still does. */
export function tellWaiting(news: News): void {
  if (process.connected) process.send?.(news, undefined, undefined, () => {});
}

/** Starts a supervisor that outlives this process; resolves when its platform is ready. */
export async function startDetached(
  home: string,
  port: number | undefined,
  report: (line: string) => void,
): Promise<void> {
  makeHome(home);
  const log = openLog(homePaths(home).supervisorLog);
  const command = ['up', '--home', home, ...(port === undefined ? [] : ['--port', String(port)])];
  const supervisor = spawn(process.execPath, [mainProgram, ...command], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  // Ctrl-C while we wait calls the start off; the supervisor tells when it has cleaned up.
  const callOff = () => void supervisor.kill('SIGTERM');
  process.on('SIGINT', callOff);
  try {
    await new Promise<void>((resolve, reject) => {
      supervisor.on('message', (message) => {
        const news = newsSchema.parse(message);
        if ('line' in news) report(news.line);
        else if ('ready' in news) resolve();
        else reject(new MillwrightError('unavailable', news.failed));
      });
      supervisor.once('error', reject);
      supervisor.once('exit', () =>
        reject(new MillwrightError('unavailable', `The supervisor died.${lastWords(homePaths(home).supervisorLog)}`)),
      );
    });
  } finally {
    process.off('SIGINT', callOff);
    if (supervisor.connected) supervisor.disconnect();
    supervisor.unref();
  }
}
