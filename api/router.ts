import { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from './env.ts';
import { invalid } from './middleware/inspect.ts';

/** A router whose every input is checked by its contract; all faults of a request go into one problem. */
export function createRouter(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: async (result, context) => {
      if (!result.success) throw invalid(await context.get('everyFault')());
    },
  });
}
