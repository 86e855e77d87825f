import type { RouteCase } from './cases.ts';

const scope = (body?: object): RouteCase => ({
  what: () => ({ params: { region: 'tpe-1', provider: 'simulator' }, ...(body ? { body } : {}) }),
  happy: { status: 200 },
});
const noInput = 'it takes no input';
const noName = 'what cannot be a name is not found';

export const driftCases = (list: RouteCase): Readonly<Record<string, RouteCase>> => ({
  'list-drift': list,
  'list-all-drift': list,
  'list-reconciliations': { ...list, without: { invalid: noInput } },
  'get-reconciliation': { ...scope(), without: { invalid: noName } },
  'run-reconciliation': { ...scope(), without: { invalid: noName } },
  'pause-reconciliation': scope({ reason: 'the test wants it so' }),
  'resume-reconciliation': { ...scope(), without: { invalid: noName } },
});
