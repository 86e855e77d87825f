/** What a project's quota counts. */
export const quotaMetrics = ['vms', 'vcpus', 'memoryMib', 'storageGib', 'networks', 'volumes'] as const;
type QuotaMetric = (typeof quotaMetrics)[number];

/** What one resource takes. */
export type QuotaUse = Readonly<Partial<Record<QuotaMetric, number>>>;
