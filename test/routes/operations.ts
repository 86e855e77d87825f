import { type Permission, permissions, type Role, roles } from '../../src/domain/access.ts';
import type { Api } from '../harness/api.ts';
import type { Parts } from './cases.ts';
import type { Tenant, World } from './world.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
}

/** An operation of the served OpenAPI document. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly permission: Permission | 'public';
  readonly parameters: readonly Parameter[];
  readonly takesBody: 'application/json' | 'application/yaml' | undefined;
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly operationId: string;
            readonly parameters?: Parameter[];
            readonly requestBody?: { content: Record<string, unknown> };
            readonly 'x-millwright-permission': Permission | 'public';
          }
        >
      >
    >
  >;
}

export async function operationsOf(url: string): Promise<Operation[]> {
  const document = (await (await fetch(`${url}/api/openapi.json`)).json()) as Document;
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      permission: operation['x-millwright-permission'],
      parameters: operation.parameters ?? [],
      takesBody: operation.requestBody
        ? operation.requestBody.content['application/yaml']
          ? 'application/yaml'
          : 'application/json'
        : undefined,
    })),
  );
}

const names = (operation: Operation, where: string): string[] =>
  operation.parameters.filter((parameter) => parameter.in === where).map(({ name }) => name);

export const pathNames = (operation: Operation): string[] => names(operation, 'path');
export const queryNames = (operation: Operation): string[] => names(operation, 'query');

/** The query that says where: in a tenant's project, or in its organisation. */
export function placeQuery(
  { permission, path }: Operation,
  { organization, project }: Pick<Tenant, 'organization' | 'project'>,
): Record<string, string> {
  if (permission === 'public' || path.startsWith('/api/tenant/v1/projects/')) return {};
  switch (permissions[permission].at) {
    case 'project':
    case 'scope':
      return { project: project.id };
    case 'organization':
      return { organization: organization.id };
    case 'platform':
    case 'self':
      return {};
  }
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Asks for an operation; of a stream, only how it begins. */
export async function ask(
  { method, path, takesBody }: Operation,
  api: Pick<Api, 'url' | 'token'>,
  { params = {}, body }: Parts,
  query: Readonly<Record<string, string>>,
): Promise<Answered> {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const url = new URL(api.url + filled);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const answer = await fetch(url, {
    method,
    headers: {
      ...(api.token ? { authorization: `Bearer ${api.token}` } : {}),
      ...(body === undefined
        ? {}
        : { 'content-type': typeof body === 'string' && takesBody ? takesBody : 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const streams = answer.headers.get('content-type')?.startsWith('text/event-stream');
  if (streams) await answer.body?.cancel();
  return { status: answer.status, headers: answer.headers, text: streams ? '' : await answer.text() };
}

/** Who holds exactly what the operation wants. */
export function whoMay({ permission }: Operation, { operator }: World, tenant: Tenant): Api {
  return permission === 'public' ? operator : withRole(permissions[permission].role, operator, tenant);
}

/** Who is there, with a role that is just too low; undefined where the lowest will do. */
export function whoMayNot({ permission }: Operation, { operator }: World, tenant: Tenant): Api | undefined {
  if (permission === 'public') return undefined;
  const below = roles[roles.indexOf(permissions[permission].role) - 1];
  return below && withRole(below, operator, tenant);
}

function withRole(role: Role, operator: Api, tenant: Tenant): Api {
  switch (role) {
    case 'viewer':
      return tenant.viewer;
    case 'member':
      return tenant.member;
    case 'admin':
      return tenant.admin;
    case 'operator':
      return operator;
  }
}
