CREATE TABLE "snapshots" (
	"resource_id" uuid PRIMARY KEY NOT NULL,
	"size_gib" integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE "snapshots" ADD CONSTRAINT "snapshots_resource_id_resources_id_fk" FOREIGN KEY ("resource_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;