import type { z } from 'zod';
import { type MaintainerGroup, maintainerGroupSchema } from '../src/domain/maintainer.ts';
import {
  type Login,
  loginSchema,
  type NewToken,
  newTokenSchema,
  type Organization,
  organizationSchema,
  type Project,
  projectSchema,
  type RoleBinding,
  roleBindingSchema,
  type ServiceAccount,
  serviceAccountSchema,
  type Token,
  tokenSchema,
  type User,
  userSchema,
  type Whoami,
  whoamiSchema,
} from '../src/domain/tenancy.ts';
import type { Ask, Http } from './http.ts';

type List = <Item>(item: z.ZodType<Item>, ask: Ask, limit: number) => Promise<Item[]>;

const tenant = 'api/tenant/v1';
const operations = 'api/ops/v1';
const part = encodeURIComponent;

/** Who may do what, as functions of the API; see Client. */
export class IdentityClient {
  readonly #http: Http;
  readonly #list: List;

  constructor(http: Http, list: List) {
    this.#http = http;
    this.#list = list;
  }

  whoami = (): Promise<Whoami> => this.#http.json(whoamiSchema, { path: 'api/common/v1/whoami' });

  login = (): Promise<Login> => this.#http.json(loginSchema, { path: 'api/common/v1/login' });

  organizations = (limit: number): Promise<Organization[]> =>
    this.#list(organizationSchema, { path: `${tenant}/organizations` }, limit);
  createOrganization = (name: string): Promise<Organization> =>
    this.#post(organizationSchema, `${operations}/organizations`, { name });
  deleteOrganization = (reference: string): Promise<void> =>
    this.#delete(`${operations}/organizations/${part(reference)}`);

  projects = (limit: number): Promise<Project[]> => this.#list(projectSchema, { path: `${tenant}/projects` }, limit);
  project = (reference: string): Promise<Project> =>
    this.#http.json(projectSchema, { path: `${tenant}/projects/${part(reference)}` });
  createProject = (name: string): Promise<Project> => this.#post(projectSchema, `${tenant}/projects`, { name });
  deleteProject = (reference: string): Promise<void> => this.#delete(`${tenant}/projects/${part(reference)}`);

  users = (limit: number): Promise<User[]> => this.#list(userSchema, { path: `${operations}/users` }, limit);
  createUser = (email: string, name: string | undefined): Promise<User> =>
    this.#post(userSchema, `${operations}/users`, { email, name });
  deleteUser = (reference: string): Promise<void> => this.#delete(`${operations}/users/${part(reference)}`);

  serviceAccounts = (limit: number): Promise<ServiceAccount[]> =>
    this.#list(serviceAccountSchema, { path: `${tenant}/service-accounts` }, limit);
  createServiceAccount = (name: string): Promise<ServiceAccount> =>
    this.#post(serviceAccountSchema, `${tenant}/service-accounts`, { name });
  deleteServiceAccount = (reference: string): Promise<void> =>
    this.#delete(`${tenant}/service-accounts/${part(reference)}`);

  maintainerGroups = (limit: number): Promise<MaintainerGroup[]> =>
    this.#list(maintainerGroupSchema, { path: `${tenant}/maintainer-groups` }, limit);
  maintainerGroup = (reference: string): Promise<MaintainerGroup> =>
    this.#http.json(maintainerGroupSchema, { path: `${tenant}/maintainer-groups/${part(reference)}` });
  createMaintainerGroup = (body: object): Promise<MaintainerGroup> =>
    this.#post(maintainerGroupSchema, `${tenant}/maintainer-groups`, body);
  deleteMaintainerGroup = (reference: string): Promise<void> =>
    this.#delete(`${tenant}/maintainer-groups/${part(reference)}`);
  /** Of a maintainer group. */
  setMember = (group: string, email: string, isIn: boolean): Promise<void> =>
    this.#http.send({
      method: isIn ? 'PUT' : 'DELETE',
      path: `${tenant}/maintainer-groups/${part(group)}/members/${part(email)}`,
    });

  roleBindings = (ofPlatform: boolean, limit: number): Promise<RoleBinding[]> =>
    this.#list(roleBindingSchema, { path: bindings(ofPlatform) }, limit);
  createRoleBinding = (ofPlatform: boolean, body: object): Promise<RoleBinding> =>
    this.#post(roleBindingSchema, bindings(ofPlatform), body);
  deleteRoleBinding = (ofPlatform: boolean, id: string): Promise<void> =>
    this.#delete(`${bindings(ofPlatform)}/${part(id)}`);

  /** One's own, or a service account's. */
  tokens = (account: string | undefined, limit: number): Promise<Token[]> =>
    this.#list(tokenSchema, { path: tokens(account) }, limit);
  createToken = (account: string | undefined, body: object): Promise<NewToken> =>
    this.#post(newTokenSchema, tokens(account), body);
  revokeToken = (account: string | undefined, id: string): Promise<void> =>
    this.#delete(`${tokens(account)}/${part(id)}`);

  #post<Answer>(schema: z.ZodType<Answer>, path: string, body: object): Promise<Answer> {
    return this.#http.json(schema, {
      method: 'POST',
      path,
      body: JSON.stringify(body),
      contentType: 'application/json',
    });
  }

  #delete(path: string): Promise<void> {
    return this.#http.send({ method: 'DELETE', path });
  }
}

const bindings = (ofPlatform: boolean): string => `${ofPlatform ? operations : tenant}/role-bindings`;
const tokens = (account: string | undefined): string =>
  account === undefined ? `${tenant}/tokens` : `${tenant}/service-accounts/${part(account)}/tokens`;
