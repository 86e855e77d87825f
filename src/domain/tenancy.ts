import { z } from 'zod';
import { roles, tenantRoles } from './access.ts';
import { idSchema, nameSchema, referenceSchema, timeSchema } from './common.ts';
import { emailSchema } from './maintainer.ts';

/** What identity is made of, as the API takes and shows it. */
const roleSchema = z.enum(roles).meta({ id: 'Role' });
const tenantRoleSchema = z.enum(tenantRoles).meta({ id: 'TenantRole' });

const namedSchema = z.object({ id: idSchema, name: z.string() });

export const organizationSchema = z
  .object({ id: idSchema, name: nameSchema, createdAt: timeSchema })
  .meta({ id: 'Organization' });
export type Organization = z.infer<typeof organizationSchema>;
export const organizationCreateSchema = z.strictObject({ name: nameSchema }).meta({ id: 'OrganizationCreate' });

export const projectSchema = z
  .object({ id: idSchema, name: nameSchema, organization: namedSchema, createdAt: timeSchema })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof projectSchema>;
export const projectCreateSchema = z.strictObject({ name: nameSchema }).meta({ id: 'ProjectCreate' });

export const userSchema = z
  .object({
    id: idSchema,
    email: z.string().nullable(),
    name: z.string(),
    issuer: z.string().nullable().meta({ description: 'Null until the user has logged in for the first time.' }),
    subject: z.string().nullable(),
    createdAt: timeSchema,
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof userSchema>;
export const userCreateSchema = z
  .strictObject({ email: emailSchema, name: z.string().min(1).max(200).optional() })
  .meta({ id: 'UserCreate' });
export type UserCreate = z.infer<typeof userCreateSchema>;

const placeFields = {
  organizationId: idSchema.nullable().meta({ description: 'Null: the platform.' }),
  projectId: idSchema.nullable().meta({ description: 'Null: the organization itself, and all its projects.' }),
};

export const serviceAccountSchema = z
  .object({ id: idSchema, name: nameSchema, ...placeFields, createdAt: timeSchema })
  .meta({ id: 'ServiceAccount' });
export type ServiceAccount = z.infer<typeof serviceAccountSchema>;
export const serviceAccountCreateSchema = z.strictObject({ name: nameSchema }).meta({ id: 'ServiceAccountCreate' });

const principalSchema = z.object({
  kind: z.enum(['user', 'service-account', 'platform']),
  id: idSchema.nullable(),
  name: z.string().meta({ description: 'A user’s e-mail address, or a service account’s name.' }),
});

export const roleBindingSchema = z
  .object({ id: idSchema, role: roleSchema, principal: principalSchema, ...placeFields, createdAt: timeSchema })
  .meta({ id: 'RoleBinding' });
export type RoleBinding = z.infer<typeof roleBindingSchema>;

const bearerFields = {
  user: emailSchema
    .optional()
    .meta({ description: 'A user, by e-mail address; one who has not been seen yet is invited by it.' }),
  serviceAccount: referenceSchema.optional(),
};
const oneOf = ({ user, serviceAccount }: { user?: string | undefined; serviceAccount?: string | undefined }): boolean =>
  (user === undefined) !== (serviceAccount === undefined);
const oneOfMessage = 'Expected either user or serviceAccount';
export const roleBindingCreateSchema = z
  .strictObject({ role: tenantRoleSchema, ...bearerFields })
  .refine(oneOf, oneOfMessage)
  .meta({ id: 'RoleBindingCreate' });
export const operatorCreateSchema = z
  .strictObject(bearerFields)
  .refine(oneOf, oneOfMessage)
  .meta({ id: 'OperatorCreate' });
/** Whom a role is for. */
export type Bearer = z.infer<typeof operatorCreateSchema>;

export const tokenSchema = z
  .object({
    id: idSchema,
    name: nameSchema,
    principal: principalSchema,
    role: roleSchema.meta({ description: 'The most that it lets through of what its principal may.' }),
    ...placeFields,
    projectOnly: z.boolean().meta({ description: 'Whether it lets nothing through outside of its project.' }),
    createdAt: timeSchema,
    expiresAt: timeSchema.nullable(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof tokenSchema>;

export const newTokenSchema = tokenSchema
  .extend({ token: z.string().meta({ description: 'The token itself: shown this once, and kept nowhere.' }) })
  .meta({ id: 'NewToken' });
export type NewToken = z.infer<typeof newTokenSchema>;

export const tokenCreateSchema = z
  .strictObject({
    name: nameSchema,
    role: roleSchema
      .optional()
      .meta({ description: 'The most that it lets through; as much as the token that asks, by default.' }),
    project: referenceSchema
      .optional()
      .meta({ description: 'The one project that it is for. Without it: wherever its principal has a role.' }),
    expiresAt: timeSchema.optional().meta({ description: 'In 90 days by default; at most what is configured.' }),
  })
  .meta({ id: 'TokenCreate' });
export type TokenCreate = z.infer<typeof tokenCreateSchema>;

export const whoamiSchema = z
  .object({
    principal: principalSchema,
    role: roleSchema.meta({ description: 'The most that this token lets through.' }),
    roles: z
      .array(z.object({ role: roleSchema, ...placeFields }))
      .meta({ description: 'What the principal holds, and where.' }),
    organization: namedSchema.nullable().meta({ description: 'What a request means that names none.' }),
    project: namedSchema.nullable().meta({ description: 'What a request means that names none.' }),
    projectOnly: z.boolean(),
    expiresAt: timeSchema.nullable(),
  })
  .meta({ id: 'Whoami' });
export type Whoami = z.infer<typeof whoamiSchema>;

/** Where people get a token for this platform from the command line. */
export const loginSchema = z
  .object({
    issuer: z.string(),
    clientId: z.string(),
    scopes: z.string(),
    audience: z.string().meta({ description: 'What the token has to have as `aud`.' }),
  })
  .meta({ id: 'Login' });
export type Login = z.infer<typeof loginSchema>;
