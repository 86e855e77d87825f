import type { Config } from '../config/index.ts';
import type { DestinationRules } from './destination.ts';
import type { DeliverySchedule } from './schedule.ts';

export interface WebhookOptions {
  readonly rules: DestinationRules;
  readonly schedule: DeliverySchedule;
  /** How long one attempt may take. */
  readonly timeoutMs: number;
}

export const destinationRules = (config: Config): DestinationRules => ({
  allowNetworks: config.webhookAllowNetworks,
  allowHttp: config.MILLWRIGHT_WEBHOOK_ALLOW_HTTP === 'true',
});

export const webhookOptions = (config: Config): WebhookOptions => ({
  rules: destinationRules(config),
  schedule: {
    pausesSeconds: config.MILLWRIGHT_WEBHOOK_RETRY_SECONDS,
    disableAfterSeconds: config.MILLWRIGHT_WEBHOOK_DISABLE_AFTER_HOURS * 3600,
  },
  timeoutMs: config.MILLWRIGHT_WEBHOOK_TIMEOUT_MS,
});
