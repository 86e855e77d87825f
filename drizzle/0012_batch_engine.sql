ALTER TABLE "batch_operations" ADD COLUMN "soft_depends_on" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "batch_operations" ADD COLUMN "action" text;--> statement-breakpoint
ALTER TABLE "batch_operations" ADD COLUMN "conditions" jsonb DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE "batch_operations" ADD COLUMN "policy" jsonb DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "batch_operations" ADD COLUMN "outputs" jsonb;--> statement-breakpoint
ALTER TABLE "batch_operations" ADD COLUMN "before" jsonb;--> statement-breakpoint
ALTER TABLE "batch_operations" ADD COLUMN "reason" text;--> statement-breakpoint
ALTER TABLE "batch_operations" ADD COLUMN "wait_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "batch_operations" ADD COLUMN "decision" jsonb;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "limits" jsonb DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "secrets" jsonb DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "generation" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "paused_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "paused_by" text;--> statement-breakpoint
ALTER TABLE "batches" ADD COLUMN "plan_hash" text;--> statement-breakpoint
CREATE INDEX "batch_operations_position" ON "batch_operations" USING btree ("batch_id","position");--> statement-breakpoint
CREATE INDEX "batch_operations_job" ON "batch_operations" USING btree ("job_id");