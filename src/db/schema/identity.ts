import { sql } from 'drizzle-orm';
import { boolean, check, index, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core';
import { roles } from '../../domain/access.ts';
import { id, now, time } from './columns.ts';
import { organizations, projects } from './tenancy.ts';

/** A person: known to the OIDC issuer by (issuer, subject), or invited by e-mail address and not seen yet. */
export const users = pgTable(
  'users',
  {
    id: id(),
    email: text('email').unique(),
    name: text('name').notNull(),
    issuer: text('issuer'),
    subject: text('subject'),
    createdAt: now('created_at'),
  },
  (table) => [unique('users_subject_key').on(table.issuer, table.subject)],
);

const organizationId = () => uuid('organization_id').references(() => organizations.id);
const projectId = () => uuid('project_id').references(() => projects.id);
const userId = () => uuid('user_id').references(() => users.id, { onDelete: 'cascade' });

/** People of one organisation who look after resources together. */
export const maintainerGroups = pgTable(
  'maintainer_groups',
  {
    id: id(),
    organizationId: organizationId().notNull(),
    name: text('name').notNull(),
    description: text('description').notNull(),
    createdAt: now('created_at'),
  },
  (table) => [unique('maintainer_groups_name_key').on(table.organizationId, table.name)],
);

export const maintainerGroupMembers = pgTable(
  'maintainer_group_members',
  {
    groupId: uuid('group_id')
      .notNull()
      .references(() => maintainerGroups.id, { onDelete: 'cascade' }),
    userId: userId().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.groupId, table.userId] }),
    index('maintainer_group_members_user').on(table.userId),
  ],
);

/** A program of an organisation, or of one of its projects. */
export const serviceAccounts = pgTable(
  'service_accounts',
  {
    id: id(),
    organizationId: organizationId().notNull(),
    projectId: projectId(),
    name: text('name').notNull(),
    createdAt: now('created_at'),
  },
  (table) => [
    unique('service_accounts_name_key').on(table.organizationId, table.projectId, table.name).nullsNotDistinct(),
    index('service_accounts_project').on(table.projectId),
  ],
);

const serviceAccountId = () => uuid('service_account_id').references(() => serviceAccounts.id, { onDelete: 'cascade' });

/** Who holds which role where: on a project (both ids), an organisation (no project), or the platform (neither). */
export const roleBindings = pgTable(
  'role_bindings',
  {
    id: id(),
    userId: userId(),
    serviceAccountId: serviceAccountId(),
    organizationId: organizationId(),
    projectId: projectId(),
    role: text('role', { enum: roles }).notNull(),
    createdAt: now('created_at'),
  },
  (table) => [
    unique('role_bindings_key')
      .on(table.userId, table.serviceAccountId, table.organizationId, table.projectId, table.role)
      .nullsNotDistinct(),
    index('role_bindings_service_account').on(table.serviceAccountId),
    index('role_bindings_place').on(table.organizationId, table.projectId),
    index('role_bindings_project').on(table.projectId),
    check('role_bindings_principal', sql`num_nonnulls(${table.userId}, ${table.serviceAccountId}) = 1`),
    check('role_bindings_place_whole', sql`${table.projectId} IS NULL OR ${table.organizationId} IS NOT NULL`),
    check('role_bindings_operator', sql`(${table.role} = 'operator') = (${table.organizationId} IS NULL)`),
  ],
);

/**
 * A bearer token is stored as the SHA-256 of its text; the text is shown once, to whoever it is made for. It lets
 * through what its user or service account holds. One that belongs to neither is the platform's own: it holds its role
 * itself, on its project, or as operator on the platform.
 */
export const apiTokens = pgTable(
  'api_tokens',
  {
    id: id(),
    hash: text('hash').notNull().unique(),
    name: text('name').notNull(),
    /** The most that it lets through. */
    role: text('role', { enum: roles }).notNull(),
    userId: userId(),
    serviceAccountId: serviceAccountId(),
    /** What a request means that names no organisation. */
    organizationId: organizationId(),
    /** What a request means that names no project. */
    projectId: projectId(),
    /** Nothing outside of `projectId`. */
    projectOnly: boolean('project_only').notNull().default(false),
    createdAt: now('created_at'),
    expiresAt: time('expires_at'),
    revokedAt: time('revoked_at'),
  },
  (table) => [
    index('api_tokens_user').on(table.userId).where(sql`user_id IS NOT NULL`),
    index('api_tokens_service_account').on(table.serviceAccountId).where(sql`service_account_id IS NOT NULL`),
    index('api_tokens_project').on(table.projectId),
  ],
);
