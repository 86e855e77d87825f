CREATE TABLE "bare_metal_hosts" (
	"resource_id" uuid PRIMARY KEY NOT NULL,
	"bmc_address" text NOT NULL,
	"bmc_system_id" text,
	"bmc_credential" text NOT NULL,
	"gpus" integer NOT NULL,
	"power" text,
	"inventory" jsonb,
	"image_url" text,
	"image_until" text,
	"cleaned_at" timestamp (3) with time zone,
	"cleaned_by" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"maintenance" text,
	"repair" text
);
--> statement-breakpoint
CREATE TABLE "host_group_members" (
	"group_id" uuid NOT NULL,
	"host_id" uuid NOT NULL,
	CONSTRAINT "host_group_members_group_id_host_id_pk" PRIMARY KEY("group_id","host_id")
);
--> statement-breakpoint
CREATE TABLE "host_groups" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "rack_units" (
	"rack_id" uuid NOT NULL,
	"unit" integer NOT NULL,
	"host_id" uuid NOT NULL,
	CONSTRAINT "rack_units_rack_id_unit_pk" PRIMARY KEY("rack_id","unit")
);
--> statement-breakpoint
CREATE TABLE "racks" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"name" text NOT NULL,
	"region" text NOT NULL,
	"height_units" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "racks_height" CHECK (height_units BETWEEN 1 AND 100)
);
--> statement-breakpoint
ALTER TABLE "bare_metal_hosts" ADD CONSTRAINT "bare_metal_hosts_resource_id_resources_id_fk" FOREIGN KEY ("resource_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host_group_members" ADD CONSTRAINT "host_group_members_group_id_host_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."host_groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "host_group_members" ADD CONSTRAINT "host_group_members_host_id_resources_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rack_units" ADD CONSTRAINT "rack_units_rack_id_racks_id_fk" FOREIGN KEY ("rack_id") REFERENCES "public"."racks"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rack_units" ADD CONSTRAINT "rack_units_host_id_resources_id_fk" FOREIGN KEY ("host_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "host_group_members_host" ON "host_group_members" USING btree ("host_id");--> statement-breakpoint
CREATE UNIQUE INDEX "host_groups_name_key" ON "host_groups" USING btree ("name");--> statement-breakpoint
CREATE INDEX "rack_units_host" ON "rack_units" USING btree ("host_id");--> statement-breakpoint
CREATE UNIQUE INDEX "racks_name_key" ON "racks" USING btree ("name");