CREATE TABLE "maintainer_group_members" (
	"group_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	CONSTRAINT "maintainer_group_members_group_id_user_id_pk" PRIMARY KEY("group_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "maintainer_groups" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"organization_id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "maintainer_groups_name_key" UNIQUE("organization_id","name")
);
--> statement-breakpoint
ALTER TABLE "resources" ADD COLUMN "maintainer_id" uuid;--> statement-breakpoint
ALTER TABLE "maintainer_group_members" ADD CONSTRAINT "maintainer_group_members_group_id_maintainer_groups_id_fk" FOREIGN KEY ("group_id") REFERENCES "public"."maintainer_groups"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "maintainer_group_members" ADD CONSTRAINT "maintainer_group_members_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "maintainer_groups" ADD CONSTRAINT "maintainer_groups_organization_id_organizations_id_fk" FOREIGN KEY ("organization_id") REFERENCES "public"."organizations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "maintainer_group_members_user" ON "maintainer_group_members" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "resources_maintainer" ON "resources" USING btree ("maintainer_id","project_id","kind","id") WHERE maintainer_id IS NOT NULL AND deleted_at IS NULL;