CREATE TABLE "events_deleted" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"transaction_id" "xid8" NOT NULL,
	"position" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
DROP INDEX "events_parent";--> statement-breakpoint
ALTER TABLE "events" ALTER COLUMN "transaction_id" SET DEFAULT event_transaction();--> statement-breakpoint
ALTER TABLE "events" ALTER COLUMN "job_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ALTER COLUMN "job_sequence" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "organization_id" uuid;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "resource_id" uuid;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "resource_kind" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "resource_name" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "resource_status" text;--> statement-breakpoint
CREATE INDEX "events_operations" ON "events" USING btree ("parent_job_id","transaction_id","position") WHERE parent_job_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "events_all" ON "events" USING btree ("transaction_id","position");--> statement-breakpoint
CREATE INDEX "events_project" ON "events" USING btree ("project_id","transaction_id","position");--> statement-breakpoint
CREATE INDEX "events_resource" ON "events" USING btree ("resource_id","transaction_id","position");