import type { Command } from 'commander';
import { batchCommand } from './batch.ts';
import { type OpenContext, openProcess } from './common.ts';
import { jobCommand } from './job.ts';
import { networkCommand } from './network.ts';
import { regionCommand } from './region.ts';
import { vmCommand } from './vm.ts';
import { volumeCommand } from './volume.ts';
import { workerListCommand } from './worker.ts';

/** The commands that ask the API, for a program to add. */
export const tenantCommands = (open: OpenContext = openProcess): Command[] =>
  [vmCommand, networkCommand, volumeCommand, batchCommand, jobCommand, regionCommand].map((command) => command(open));

/** `worker list`, to be added to the command that runs workers. */
export const workerList = (open: OpenContext = openProcess): Command => workerListCommand(open);
