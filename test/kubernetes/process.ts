import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface Running {
  /** The answer to a question that nobody gives once the process has ended: then it throws what the process said last. */
  alive<Value>(question: Promise<Value>): Promise<Value>;
  /** `undefined` for one that runs. */
  lastLines(): string | undefined;
  stop(): Promise<void>;
}

/** How long one may take to end by itself. */
const patienceMs = 5000;

/** Starts a process that ends with this one, and writes to a file. */
export function startProcess(program: string, commandLine: readonly string[], logFile: string): Running {
  const log = openSync(logFile, 'w');
  const child = spawn(program, commandLine, { stdio: ['ignore', log, log], env: {} });
  closeSync(log);
  const killNow = () => void child.kill('SIGKILL');
  process.once('exit', killNow);
  let failed: Error | undefined;
  child.on('error', (error) => {
    failed = error;
  });

  const isGone = () => failed !== undefined || child.exitCode !== null || child.signalCode !== null;
  function lastLines(): string | undefined {
    if (!isGone()) return undefined;
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-10);
    return [
      `${basename(logFile, '.log')} ended (${failed?.message ?? child.exitCode ?? child.signalCode}):`,
      ...lines,
    ].join('\n');
  }
  return {
    alive: async (question) => {
      if (isGone()) throw new Error('a process has ended');
      return await question;
    },
    lastLines,
    stop: async () => {
      process.off('exit', killNow);
      if (isGone()) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(killNow, patienceMs);
      await gone;
      clearTimeout(late);
    },
  };
}
