import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { ApiEnv } from './env.ts';

/** The template of the route that a request has come to, never what somebody asked for. */
export const routeOf = (context: Context<ApiEnv>): string =>
  matchedRoutes(context).findLast(({ path }) => !path.includes('*'))?.path ?? 'unmatched';
