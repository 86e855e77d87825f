ALTER TABLE "audit_seals" DROP CONSTRAINT "audit_seals_position_unique";--> statement-breakpoint
DROP INDEX "audit_entries_project";--> statement-breakpoint
ALTER TABLE "audit_seals" ADD COLUMN "transaction_id" "xid8" NOT NULL;--> statement-breakpoint
CREATE INDEX "audit_entries_place" ON "audit_entries" USING btree ("project_id","transaction_id","position") WHERE phase = 'opened';--> statement-breakpoint
CREATE UNIQUE INDEX "audit_seals_entry" ON "audit_seals" USING btree ("transaction_id","position");