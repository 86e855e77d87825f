import { resolve } from 'node:path';
import { Client } from './client.ts';
import type { CommonOptions } from './commands/common.ts';
import type { CliContext } from './context.ts';
import { describeError, tellsStack } from './errors.ts';
import { type Paint, painter } from './output.ts';
import { findPlatform } from './platform.ts';
import { quoted } from './text.ts';

/** One command at work on one platform. */
export interface Session {
  readonly context: CliContext;
  readonly client: Client;
  /** Where the token in use is from. */
  readonly tokenSource: string | undefined;
  readonly paint: Paint;
  /** A command as the user would have to type it to reach the same platform and project. */
  readonly command: (words: string) => string;
  /** Says something that is not data. */
  readonly talk: (line: string) => void;
  /** Says what went wrong, where the command goes on all the same. */
  readonly complain: (error: unknown) => void;
  /** Gives data: as the API gave it, or as a table. */
  readonly show: (data: unknown, asTable: () => string) => Promise<void>;
}

export function createSession(context: CliContext, { output, project, organization, home }: CommonOptions): Session {
  const { io } = context;
  const config = context.readConfig(home === undefined ? {} : { home });
  const platform = findPlatform(config, home !== undefined);
  const flags = [
    ...(home === undefined ? [] : ['--home', quoted(resolve(home))]),
    ...(project === undefined ? [] : ['--project', quoted(project)]),
    ...(organization === undefined ? [] : ['--organization', quoted(organization)]),
  ];
  const command = (words: string): string => ['millwright', words, ...flags].join(' ');
  const paint = painter(io, config.NO_COLOR);
  return {
    context,
    tokenSource: platform.credential?.source,
    client: new Client({ platform, project, organization, patience: context.patience, command }),
    paint,
    command,
    talk: (line) => io.err(`${line}\n`),
    complain: (error) => io.err(describeError(error, paint, tellsStack(config))),
    show: async (data, asTable) => io.out(output === 'table' ? asTable() : await serialise(data, output)),
  };
}

/** Data as programs take it. */
export async function serialise(data: unknown, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${JSON.stringify(data, null, 2)}\n`;
  const { stringify } = await import('yaml');
  return stringify(data, { lineWidth: 0 });
}
