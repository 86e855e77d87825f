ALTER TABLE "organization_quotas" DROP CONSTRAINT "organization_quotas_never_negative";--> statement-breakpoint
ALTER TABLE "quotas" DROP CONSTRAINT "quotas_never_negative";--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "change" jsonb;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "snapshots" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "buckets" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "addresses" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "gpus" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "bare_metal_hosts" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "clusters" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "snapshots_limit" bigint;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "buckets_limit" bigint;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "addresses_limit" bigint;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "gpus_limit" bigint;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "bare_metal_hosts_limit" bigint;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD COLUMN "clusters_limit" bigint;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "snapshots" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "buckets" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "addresses" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "gpus" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "bare_metal_hosts" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "clusters" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "snapshots_limit" bigint DEFAULT 20000 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "buckets_limit" bigint DEFAULT 2000 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "addresses_limit" bigint DEFAULT 40000 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "gpus_limit" bigint DEFAULT 2000 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "bare_metal_hosts_limit" bigint DEFAULT 5000 NOT NULL;--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "clusters_limit" bigint DEFAULT 200 NOT NULL;--> statement-breakpoint
ALTER TABLE "resource_uses" ADD COLUMN "exclusive" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "resource_uses_exclusive" ON "resource_uses" USING btree ("used_id") WHERE exclusive;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD CONSTRAINT "organization_quotas_never_negative" CHECK (vms >= 0 AND vcpus >= 0 AND memory_mib >= 0 AND storage_gib >= 0 AND networks >= 0 AND volumes >= 0
      AND snapshots >= 0 AND buckets >= 0 AND addresses >= 0 AND gpus >= 0 AND bare_metal_hosts >= 0 AND clusters >= 0);--> statement-breakpoint
ALTER TABLE "quotas" ADD CONSTRAINT "quotas_never_negative" CHECK (vms >= 0 AND vcpus >= 0 AND memory_mib >= 0 AND storage_gib >= 0 AND networks >= 0 AND volumes >= 0
      AND snapshots >= 0 AND buckets >= 0 AND addresses >= 0 AND gpus >= 0 AND bare_metal_hosts >= 0 AND clusters >= 0);