CREATE TABLE "audit_entries" (
	"position" bigint GENERATED ALWAYS AS IDENTITY (sequence name "audit_entries_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"transaction_id" "xid8" DEFAULT pg_current_xact_id() NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"act_id" uuid NOT NULL,
	"phase" text NOT NULL,
	"organization_id" uuid,
	"project_id" uuid,
	"actor" text,
	"origin" text,
	"action" text,
	"resource_kind" text,
	"resource_id" uuid,
	"resource_name" text,
	"job_id" uuid,
	"reason" text,
	"details" jsonb,
	"outcome" text,
	CONSTRAINT "audit_entries_transaction_id_position_pk" PRIMARY KEY("transaction_id","position"),
	CONSTRAINT "audit_entries_shape" CHECK (CASE phase WHEN 'opened' THEN actor IS NOT NULL AND action IS NOT NULL AND outcome IS NULL WHEN 'closed' THEN outcome IS NOT NULL ELSE false END)
);
--> statement-breakpoint
CREATE TABLE "audit_seals" (
	"sequence" bigint PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL,
	"hash" text NOT NULL,
	"sealed_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audit_seals_position_unique" UNIQUE("position")
);
--> statement-breakpoint
CREATE UNIQUE INDEX "audit_entries_act" ON "audit_entries" USING btree ("act_id","phase");--> statement-breakpoint
CREATE INDEX "audit_entries_project" ON "audit_entries" USING btree ("project_id","position") WHERE phase = 'opened';--> statement-breakpoint
CREATE INDEX "audit_entries_at" ON "audit_entries" USING brin ("at");