CREATE TABLE "data_keys" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"purpose" text NOT NULL,
	"key_id" text NOT NULL,
	"wrapped" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE INDEX "data_keys_newest" ON "data_keys" USING btree ("purpose","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "data_keys_fingerprint" ON "data_keys" USING btree ("purpose") WHERE purpose = 'fingerprint';