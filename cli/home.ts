import { Option } from 'commander';
import { childEnvironment } from '../src/config/environment.ts';
import { type Config, readConfig } from '../src/config/index.ts';

/** For commands that act on the platform of one home. */
export const homeOption = (): Option =>
  new Option(
    '--home <dir>',
    "the platform's home, with its data, logs and keys (MILLWRIGHT_HOME; .millwright by default)",
  );

/** The configuration, with the home that the command line names. */
export const configOf = ({ home }: { readonly home?: string }): Config =>
  readConfig(home === undefined ? undefined : childEnvironment({ MILLWRIGHT_HOME: home }));
