import type { Config } from '../config/index.ts';

/** Begins to send this process' spans where the configuration says to; nothing of it is even loaded elsewhere. */
export async function startTracing(config: Config, role: string): Promise<() => Promise<void>> {
  if (!config.OTEL_EXPORTER_OTLP_ENDPOINT && !config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return async () => undefined;
  const { exportSpans } = await import('./otlp.ts');
  return exportSpans(role);
}
