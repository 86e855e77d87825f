import { z } from 'zod';

/** What operators see of the platform itself, as far as the command line shows it. */
export const regionSchema = z.object({
  name: z.string(),
  providers: z.array(z.string()),
  status: z.string(),
  workers: z.int(),
});
export type Region = z.infer<typeof regionSchema>;

export const workerSchema = z.object({
  id: z.string(),
  role: z.string(),
  region: z.string().nullable(),
  version: z.string(),
  drivers: z.array(z.string()),
  host: z.string(),
  processId: z.int(),
  status: z.string(),
  startedAt: z.string(),
  heartbeatAt: z.string(),
  activitiesUnderWay: z.int(),
});
export type Worker = z.infer<typeof workerSchema>;
