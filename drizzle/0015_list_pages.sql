DROP INDEX "incidents_job";--> statement-breakpoint
DROP INDEX "jobs_resource";--> statement-breakpoint
DROP INDEX "jobs_batch";--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "deadline_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "audit_entries_organization" ON "audit_entries" USING btree ("organization_id","transaction_id","position") WHERE phase = 'opened';--> statement-breakpoint
CREATE INDEX "audit_entries_resource" ON "audit_entries" USING btree ("resource_id","transaction_id","position") WHERE phase = 'opened' AND resource_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "incidents_open_page" ON "incidents" USING btree ("project_id","id") WHERE resolved_at IS NULL;--> statement-breakpoint
CREATE INDEX "incidents_resolved_page" ON "incidents" USING btree ("project_id","id") WHERE resolved_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "incidents_job_page" ON "incidents" USING btree ("job_id","id");--> statement-breakpoint
CREATE INDEX "jobs_state" ON "jobs" USING btree ("project_id","state","id");--> statement-breakpoint
CREATE INDEX "jobs_resource_page" ON "jobs" USING btree ("resource_id","id");--> statement-breakpoint
CREATE INDEX "jobs_batch_page" ON "jobs" USING btree ("batch_id","id") WHERE batch_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX "jobs_held" ON "jobs" USING btree ("batch_id") WHERE state = 'HELD';--> statement-breakpoint
CREATE INDEX "jobs_deadline" ON "jobs" USING btree ("deadline_at") WHERE ended_at IS NULL;--> statement-breakpoint
CREATE INDEX "resources_status" ON "resources" USING btree ("project_id","kind","status","id") WHERE deleted_at IS NULL;--> statement-breakpoint
CREATE INDEX "resources_region" ON "resources" USING btree ("project_id","kind","region","id") WHERE deleted_at IS NULL;