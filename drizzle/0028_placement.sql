CREATE TABLE "compute_hosts" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"region" text NOT NULL,
	"provider" text NOT NULL,
	"rack_id" uuid,
	"labels" jsonb NOT NULL,
	"groups" text[] NOT NULL,
	"vcpus" integer NOT NULL,
	"memory_mib" integer NOT NULL,
	"disk_gib" integer NOT NULL,
	"gpus" integer NOT NULL,
	"cpu_ratio" double precision NOT NULL,
	"maintenance" text,
	"used_vcpus" integer DEFAULT 0 NOT NULL,
	"used_memory_mib" integer DEFAULT 0 NOT NULL,
	"used_disk_gib" integer DEFAULT 0 NOT NULL,
	"used_gpus" integer DEFAULT 0 NOT NULL,
	"shape" integer DEFAULT 0 NOT NULL,
	"changed_in" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "compute_hosts_used" CHECK (used_vcpus >= 0 AND used_memory_mib >= 0 AND used_disk_gib >= 0 AND used_gpus >= 0
        AND used_vcpus <= vcpus * cpu_ratio AND used_memory_mib <= memory_mib AND used_disk_gib <= disk_gib AND used_gpus <= gpus)
);
--> statement-breakpoint
CREATE TABLE "placement_claims" (
	"resource_id" uuid PRIMARY KEY NOT NULL,
	"host_id" uuid NOT NULL,
	"job_id" uuid NOT NULL,
	"vcpus" integer NOT NULL,
	"memory_mib" integer NOT NULL,
	"disk_gib" integer NOT NULL,
	"gpus" integer NOT NULL,
	"explanation" jsonb NOT NULL,
	"claimed_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "vms" ADD COLUMN "gpus" integer;--> statement-breakpoint
ALTER TABLE "compute_hosts" ADD CONSTRAINT "compute_hosts_rack_id_racks_id_fk" FOREIGN KEY ("rack_id") REFERENCES "public"."racks"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "placement_claims" ADD CONSTRAINT "placement_claims_resource_id_resources_id_fk" FOREIGN KEY ("resource_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "placement_claims" ADD CONSTRAINT "placement_claims_host_id_compute_hosts_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."compute_hosts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "compute_hosts_name_key" ON "compute_hosts" USING btree ("name");--> statement-breakpoint
CREATE INDEX "compute_hosts_rack" ON "compute_hosts" USING btree ("rack_id");--> statement-breakpoint
CREATE INDEX "placement_claims_host" ON "placement_claims" USING btree ("host_id");