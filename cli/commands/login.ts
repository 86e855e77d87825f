import { Command } from 'commander';
import { homeOption } from '../home.ts';
import type { OpenContext } from './common.ts';

interface HomeOption {
  readonly home?: string;
}

export const loginCommand = (open: OpenContext): Command =>
  new Command('login')
    .description('log in at the OpenID Connect issuer of the platform, with a browser on any machine')
    .addOption(homeOption())
    .action(async (options: HomeOption) => (await import('../login/run.ts')).login(open(), options.home));

export const logoutCommand = (open: OpenContext): Command =>
  new Command('logout')
    .description('forget the login, and end it at the issuer')
    .addOption(homeOption())
    .action(async (options: HomeOption) => (await import('../login/run.ts')).logout(open(), options.home));
