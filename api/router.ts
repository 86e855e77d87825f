import { OpenAPIHono } from '@hono/zod-openapi';
import { MillwrightError } from '../src/errors.ts';
import { faultsOf } from '../src/faults.ts';
import type { ApiEnv } from './env.ts';

/** A router whose every input is checked by its contract; all faults of a request go into one problem. */
export function createRouter(): OpenAPIHono<ApiEnv> {
  return new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const faults = faultsOf(result.error);
      const places = faults.map(({ pointer, detail }) => `${pointer || 'the body'}: ${detail}`).join(' ');
      throw new MillwrightError('invalid', places, { faults });
    },
  });
}
