import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, Api } from '../harness/api.ts';
import { until } from '../harness/until.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test looks into answers as a user does, without a schema between.
type Json = any;

/** What a request came to: an answer, or nobody knows. */
export type Outcome = { readonly answer: Answer<Json> } | { readonly lost: string };

/** One project, and a token that sees nothing else. */
export interface Tenant {
  readonly projectId: string;
  /** Asks once; a connection that is lost, or an answer that takes too long, is an outcome like any other. */
  ask(method: string, path: string, body?: unknown, key?: string): Promise<Outcome>;
  /** Asks again and again until there is an answer, and gives what it holds. */
  get(path: string): Promise<Json>;
}

const answerMs = 12_000;

/** A tenant by its token. */
export async function openTenant(url: string, token: string): Promise<Tenant> {
  const api = new Api(url, token);
  const ask: Tenant['ask'] = async (method, path, body, key) => {
    const asked = api.tenant(method, path, body, key === undefined ? {} : { 'idempotency-key': key });
    asked.catch(() => undefined);
    const late = new AbortController();
    const tooLate = pause(answerMs, undefined, { signal: late.signal, ref: false }).then(() => {
      throw new Error('no answer in time');
    });
    try {
      return { answer: await Promise.race([asked, tooLate]) };
    } catch (error) {
      return { lost: error instanceof Error ? String(error.cause ?? error) : String(error) };
    } finally {
      tooLate.catch(() => undefined);
      late.abort();
    }
  };
  const get: Tenant['get'] = (path) =>
    until(
      `GET ${path}`,
      async () => {
        const outcome = await ask('GET', path);
        return 'answer' in outcome && outcome.answer.status === 200 && outcome.answer.body;
      },
      60_000,
    );
  const [project] = (await get('/projects')).items;
  return { projectId: project.id, ask, get };
}

/** A new organisation with a project of its own, and a member of that with a token. */
export async function foundTenant(operator: Api, name: string): Promise<Tenant> {
  const make = async (path: string, body: object): Promise<Json> => {
    const answer = await operator.request('POST', path, body);
    if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await make('/api/ops/v1/organizations', { name });
  const project = await make(`/api/tenant/v1/projects?organization=${name}`, { name });
  const query = `project=${project.id}`;
  await make(`/api/tenant/v1/service-accounts?${query}`, { name: 'robot' });
  await make(`/api/tenant/v1/role-bindings?${query}`, { role: 'member', serviceAccount: 'robot' });
  const { token } = await make(`/api/tenant/v1/service-accounts/robot/tokens?${query}`, { name: 'chaos' });
  return await openTenant(operator.url, token);
}
