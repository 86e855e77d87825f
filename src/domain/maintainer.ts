import { z } from 'zod';
import { idSchema, nameSchema, timeSchema } from './common.ts';

/** Compared without regard to case, as mail systems do. */
export const emailSchema = z
  .email()
  .max(254)
  .transform((email) => email.toLowerCase());

/** Of somebody, or some group, that is looked for: what has another form is not there either. */
export const maintainerNameSchema = z
  .string()
  .min(1)
  .max(254)
  .transform((name) => name.toLowerCase());

export const maintainerGroupCreateSchema = z
  .strictObject({
    name: nameSchema,
    description: z.string().max(1000).default(''),
    members: z
      .array(emailSchema)
      .max(200)
      .default([])
      .meta({ description: 'Members of the organization, by e-mail address.' }),
  })
  .meta({ id: 'MaintainerGroupCreate' });
export type MaintainerGroupCreate = z.infer<typeof maintainerGroupCreateSchema>;

/** People of one organisation who look after resources together. It gives nobody a right: role bindings do. */
export const maintainerGroupSchema = z
  .object({
    id: idSchema,
    organizationId: idSchema,
    name: nameSchema,
    description: z.string(),
    members: z.array(z.object({ id: idSchema, email: z.string() })),
    createdAt: timeSchema,
  })
  .meta({ id: 'MaintainerGroup' });
export type MaintainerGroup = z.infer<typeof maintainerGroupSchema>;
