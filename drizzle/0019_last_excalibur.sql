CREATE TABLE "address_assignments" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"subnet_id" uuid NOT NULL,
	"address" "inet" NOT NULL,
	"owner_id" uuid NOT NULL,
	"place" text NOT NULL,
	"kind" text NOT NULL,
	"hostname" text,
	"assigned_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"released_at" timestamp (3) with time zone,
	"quarantine_until" timestamp (3) with time zone,
	"freed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "address_blocks" (
	"subnet_id" uuid NOT NULL,
	"first" "inet" NOT NULL,
	"taken" bit(64) NOT NULL,
	"reserved" bit(64) NOT NULL,
	"static_only" bit(64) NOT NULL,
	"is_full" boolean GENERATED ALWAYS AS (bit_count(taken | reserved | static_only) = 64) STORED NOT NULL,
	CONSTRAINT "address_blocks_subnet_id_first_pk" PRIMARY KEY("subnet_id","first")
);
--> statement-breakpoint
CREATE TABLE "subnets" (
	"resource_id" uuid PRIMARY KEY NOT NULL,
	"vrf_id" uuid NOT NULL,
	"network_id" uuid,
	"cidr" "cidr" NOT NULL,
	"gateway" "inet",
	"reserved" jsonb NOT NULL,
	"dynamic_range" jsonb,
	"dns_servers" text[] NOT NULL,
	"domain" text,
	"lease_seconds" integer NOT NULL,
	"quarantine_seconds" integer NOT NULL,
	"block_bits" smallint NOT NULL,
	"shape" integer NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "vrfs" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"project_id" uuid NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "subnets" ADD CONSTRAINT "subnets_resource_id_resources_id_fk" FOREIGN KEY ("resource_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subnets" ADD CONSTRAINT "subnets_vrf_id_vrfs_id_fk" FOREIGN KEY ("vrf_id") REFERENCES "public"."vrfs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subnets" ADD CONSTRAINT "subnets_network_id_resources_id_fk" FOREIGN KEY ("network_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vrfs" ADD CONSTRAINT "vrfs_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "address_assignments_address_key" ON "address_assignments" USING btree ("subnet_id","address") WHERE freed_at IS NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "address_assignments_owner_key" ON "address_assignments" USING btree ("owner_id","place") WHERE released_at IS NULL;--> statement-breakpoint
CREATE INDEX "address_assignments_quarantine" ON "address_assignments" USING btree ("subnet_id","quarantine_until") WHERE released_at IS NOT NULL AND freed_at IS NULL;--> statement-breakpoint
CREATE INDEX "address_blocks_free" ON "address_blocks" USING btree ("subnet_id","first") WHERE NOT is_full;--> statement-breakpoint
CREATE INDEX "subnets_network" ON "subnets" USING btree ("network_id");--> statement-breakpoint
CREATE UNIQUE INDEX "vrfs_name_key" ON "vrfs" USING btree ("project_id","name");