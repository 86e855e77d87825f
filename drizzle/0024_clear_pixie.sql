ALTER TABLE "bare_metal_hosts" ADD COLUMN "controller" text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX "bare_metal_hosts_controller" ON "bare_metal_hosts" USING btree ("controller");