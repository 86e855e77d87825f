-- An organisation's use follows that of its projects in the same transaction, after their rows are locked: project
-- first, then organisation, always. A trigger, so that what had begun before the limits were set, and the release
-- before, count as well.
CREATE FUNCTION quota_of_organization() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE o organization_quotas;
BEGIN
  UPDATE organization_quotas q SET vms = q.vms + NEW.vms - OLD.vms, vcpus = q.vcpus + NEW.vcpus - OLD.vcpus,
    memory_mib = q.memory_mib + NEW.memory_mib - OLD.memory_mib, storage_gib = q.storage_gib + NEW.storage_gib - OLD.storage_gib,
    networks = q.networks + NEW.networks - OLD.networks, volumes = q.volumes + NEW.volumes - OLD.volumes
  WHERE q.organization_id = NEW.limited_by RETURNING q.* INTO o;
  IF (NEW.vms > OLD.vms AND o.vms > o.vms_limit) OR (NEW.vcpus > OLD.vcpus AND o.vcpus > o.vcpus_limit)
    OR (NEW.memory_mib > OLD.memory_mib AND o.memory_mib > o.memory_mib_limit)
    OR (NEW.storage_gib > OLD.storage_gib AND o.storage_gib > o.storage_gib_limit)
    OR (NEW.networks > OLD.networks AND o.networks > o.networks_limit) OR (NEW.volumes > OLD.volumes AND o.volumes > o.volumes_limit)
  THEN
    RAISE EXCEPTION 'the quota of the organization does not suffice' USING ERRCODE = 'MWQ01';
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER quotas_of_organization AFTER UPDATE OF vms, vcpus, memory_mib, storage_gib, networks, volumes ON quotas
FOR EACH ROW WHEN (NEW.limited_by IS NOT NULL) EXECUTE FUNCTION quota_of_organization();--> statement-breakpoint
-- A new project of an organisation with limits counts from its beginning. Who sets the first limits locks the
-- organisation's row, so that no project comes about unseen.
CREATE FUNCTION quota_of_new_project() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE organization uuid;
BEGIN
  SELECT organization_id INTO organization FROM projects WHERE id = NEW.project_id;
  PERFORM FROM organizations WHERE id = organization FOR SHARE;
  SELECT organization_id INTO NEW.limited_by FROM organization_quotas WHERE organization_id = organization;
  RETURN NEW;
END $$;--> statement-breakpoint
CREATE TRIGGER quotas_of_new_project BEFORE INSERT ON quotas FOR EACH ROW EXECUTE FUNCTION quota_of_new_project();
