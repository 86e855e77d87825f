ALTER TABLE "incidents" ALTER COLUMN "project_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ALTER COLUMN "job_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "resolution" text;--> statement-breakpoint
CREATE INDEX "incidents_organization" ON "incidents" USING btree ("organization_id","id") WHERE project_id IS NULL;