/** What a host is removed by, in this order: the first that does is what removed it. */
export const filterNames = [
  'region',
  'maintenance',
  'group',
  'labels',
  'capacity',
  'gpu',
  'affinity',
  'anti-affinity',
  'rack-spread',
] as const;
export type FilterName = (typeof filterNames)[number];

/** What hosts that remain are compared by; each gives 0 to 1. */
export const weightNames = ['free-vcpus', 'free-memory', 'free-disk', 'keep-gpus'] as const;
export type WeightName = (typeof weightNames)[number];
