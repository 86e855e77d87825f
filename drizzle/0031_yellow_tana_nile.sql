CREATE TABLE "bucket_keys" (
	"bucket_id" uuid NOT NULL,
	"name" text NOT NULL,
	"access_key" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "bucket_keys_bucket_id_name_pk" PRIMARY KEY("bucket_id","name")
);
--> statement-breakpoint
CREATE TABLE "buckets" (
	"resource_id" uuid PRIMARY KEY NOT NULL,
	"endpoint" text
);
--> statement-breakpoint
ALTER TABLE "bucket_keys" ADD CONSTRAINT "bucket_keys_bucket_id_resources_id_fk" FOREIGN KEY ("bucket_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "buckets" ADD CONSTRAINT "buckets_resource_id_resources_id_fk" FOREIGN KEY ("resource_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "bucket_keys_access_key" ON "bucket_keys" USING btree ("access_key");