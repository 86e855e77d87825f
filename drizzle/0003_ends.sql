CREATE TABLE "incidents" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"project_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"cause" text NOT NULL,
	"job_id" uuid NOT NULL,
	"resource" jsonb NOT NULL,
	"region" text,
	"summary" text NOT NULL,
	"opened_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"resolved_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "job_steps" ADD COLUMN "result" jsonb;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "epoch" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "cancel_requested" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "incidents_open" ON "incidents" USING btree ("cause") WHERE resolved_at IS NULL;--> statement-breakpoint
CREATE INDEX "incidents_page" ON "incidents" USING btree ("project_id","id");--> statement-breakpoint
CREATE INDEX "incidents_job" ON "incidents" USING btree ("job_id");--> statement-breakpoint
CREATE INDEX "job_steps_unended" ON "job_steps" USING btree ("started_at") WHERE ended_at IS NULL;--> statement-breakpoint
CREATE INDEX "jobs_unended" ON "jobs" USING btree ("created_at") WHERE ended_at IS NULL;