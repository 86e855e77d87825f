CREATE TABLE "organization_quotas" (
	"organization_id" uuid PRIMARY KEY NOT NULL,
	"vms" bigint DEFAULT 0 NOT NULL,
	"vcpus" bigint DEFAULT 0 NOT NULL,
	"memory_mib" bigint DEFAULT 0 NOT NULL,
	"storage_gib" bigint DEFAULT 0 NOT NULL,
	"networks" bigint DEFAULT 0 NOT NULL,
	"volumes" bigint DEFAULT 0 NOT NULL,
	"vms_limit" bigint,
	"vcpus_limit" bigint,
	"memory_mib_limit" bigint,
	"storage_gib_limit" bigint,
	"networks_limit" bigint,
	"volumes_limit" bigint,
	CONSTRAINT "organization_quotas_never_negative" CHECK (vms >= 0 AND vcpus >= 0 AND memory_mib >= 0 AND storage_gib >= 0 AND networks >= 0 AND volumes >= 0)
);
--> statement-breakpoint
ALTER TABLE "quotas" ADD COLUMN "limited_by" uuid;--> statement-breakpoint
ALTER TABLE "organization_quotas" ADD CONSTRAINT "organization_quotas_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "quotas" ADD CONSTRAINT "quotas_limited_by_organization_quotas_organization_id_fk" FOREIGN KEY ("limited_by") REFERENCES "public"."organization_quotas"("organization_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "quotas_limited_by" ON "quotas" USING btree ("limited_by");--> statement-breakpoint
ALTER TABLE "quotas" ADD CONSTRAINT "quotas_never_negative" CHECK (vms >= 0 AND vcpus >= 0 AND memory_mib >= 0 AND storage_gib >= 0 AND networks >= 0 AND volumes >= 0);