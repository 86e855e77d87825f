CREATE EXTENSION IF NOT EXISTS btree_gist;--> statement-breakpoint
-- Two requests at once are both checked by the index, which a look before the insert would not do. What has ended makes room.
ALTER TABLE "subnets" ADD CONSTRAINT "subnets_overlap"
EXCLUDE USING gist ("vrf_id" WITH =, "cidr" inet_ops WITH &&) WHERE ("ended_at" IS NULL);--> statement-breakpoint
-- Room in each page for the versions of its rows: a claim then writes no index.
ALTER TABLE "address_blocks" SET (fillfactor = 50);
