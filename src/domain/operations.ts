import { z } from 'zod';
import { nameSchema, timeSchema } from './common.ts';

/** What operators see of the platform itself. */
export const workerSchema = z
  .object({
    id: z.string(),
    role: z.enum(['control', 'region']),
    region: z.string().nullable(),
    version: z.string(),
    drivers: z.array(z.string()).meta({ description: 'The drivers it has, as name@version.' }),
    host: z.string(),
    processId: z.int(),
    status: z.enum(['running', 'stopping', 'lost']).meta({ description: '`lost`: no heartbeat for 15 s.' }),
    startedAt: timeSchema,
    heartbeatAt: timeSchema,
    activitiesUnderWay: z.int(),
  })
  .meta({ id: 'Worker' });

export const regionSchema = z
  .object({
    name: nameSchema,
    providers: z.array(nameSchema),
    status: z
      .enum(['online', 'offline'])
      .meta({ description: '`offline`: none of its workers lives. Its jobs wait, and finish when one returns.' }),
    workers: z.int(),
  })
  .meta({ id: 'Region' });
export type Worker = z.infer<typeof workerSchema>;
export type Region = z.infer<typeof regionSchema>;
