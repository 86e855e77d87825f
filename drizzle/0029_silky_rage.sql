CREATE TABLE "cluster_machines" (
	"cluster_id" uuid NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"pool" text,
	"ordinal" integer NOT NULL,
	"flavor" text NOT NULL,
	"labels" jsonb NOT NULL,
	"create_job_id" uuid NOT NULL,
	"delete_job_id" uuid NOT NULL,
	"vm_id" uuid,
	"node" text,
	"version" text,
	CONSTRAINT "cluster_machines_cluster_id_name_pk" PRIMARY KEY("cluster_id","name")
);
--> statement-breakpoint
CREATE TABLE "clusters" (
	"resource_id" uuid PRIMARY KEY NOT NULL,
	"version" text NOT NULL,
	"image" text NOT NULL,
	"ssh_keys" text[] NOT NULL,
	"cni" text NOT NULL,
	"service_mesh" text NOT NULL,
	"plugins" text[] NOT NULL,
	"endpoint" text,
	"kubeconfig" text
);
--> statement-breakpoint
ALTER TABLE "jobs" ADD COLUMN "host_job_id" uuid;--> statement-breakpoint
ALTER TABLE "cluster_machines" ADD CONSTRAINT "cluster_machines_cluster_id_resources_id_fk" FOREIGN KEY ("cluster_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "clusters" ADD CONSTRAINT "clusters_resource_id_resources_id_fk" FOREIGN KEY ("resource_id") REFERENCES "public"."resources"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "cluster_machines_vm" ON "cluster_machines" USING btree ("vm_id");