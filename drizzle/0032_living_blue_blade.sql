CREATE TABLE "drift" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"region" text NOT NULL,
	"provider" text NOT NULL,
	"class" text NOT NULL,
	"kind" text NOT NULL,
	"key" text NOT NULL,
	"name" text NOT NULL,
	"resource_id" uuid,
	"organization_id" uuid,
	"project_id" uuid,
	"field" text DEFAULT '' NOT NULL,
	"wanted" jsonb,
	"found" jsonb,
	"run" text NOT NULL,
	"first_seen_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"confirmed_at" timestamp (3) with time zone,
	"resolved_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE UNIQUE INDEX "drift_unresolved" ON "drift" USING btree ("region","provider","kind","key","class","field") WHERE resolved_at IS NULL;--> statement-breakpoint
CREATE INDEX "drift_open_page" ON "drift" USING btree ("id") WHERE confirmed_at IS NOT NULL AND resolved_at IS NULL;--> statement-breakpoint
CREATE INDEX "drift_project" ON "drift" USING btree ("project_id","id") WHERE confirmed_at IS NOT NULL AND class <> 'orphaned';--> statement-breakpoint
CREATE INDEX "resources_scope" ON "resources" USING btree ("region","provider","kind","id") WHERE deleted_at IS NULL;