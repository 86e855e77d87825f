CREATE TABLE "not_compared" (
	"region" text NOT NULL,
	"provider" text NOT NULL,
	"reason" text NOT NULL,
	"message" text NOT NULL,
	"since" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"run" text NOT NULL,
	"confirmed" boolean DEFAULT false NOT NULL,
	CONSTRAINT "not_compared_region_provider_pk" PRIMARY KEY("region","provider")
);
--> statement-breakpoint
ALTER TABLE "incidents" ALTER COLUMN "organization_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "acknowledged_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "acknowledged_by" text;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "note" text;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "escalation" integer DEFAULT 0 NOT NULL;