-- What came later is counted as the rest is.
CREATE OR REPLACE FUNCTION quota_of_organization() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE o organization_quotas;
BEGIN
  UPDATE organization_quotas q SET vms = q.vms + NEW.vms - OLD.vms, vcpus = q.vcpus + NEW.vcpus - OLD.vcpus,
    memory_mib = q.memory_mib + NEW.memory_mib - OLD.memory_mib, storage_gib = q.storage_gib + NEW.storage_gib - OLD.storage_gib,
    networks = q.networks + NEW.networks - OLD.networks, volumes = q.volumes + NEW.volumes - OLD.volumes,
    snapshots = q.snapshots + NEW.snapshots - OLD.snapshots, buckets = q.buckets + NEW.buckets - OLD.buckets,
    addresses = q.addresses + NEW.addresses - OLD.addresses, gpus = q.gpus + NEW.gpus - OLD.gpus,
    bare_metal_hosts = q.bare_metal_hosts + NEW.bare_metal_hosts - OLD.bare_metal_hosts,
    clusters = q.clusters + NEW.clusters - OLD.clusters
  WHERE q.organization_id = NEW.limited_by RETURNING q.* INTO o;
  IF (NEW.vms > OLD.vms AND o.vms > o.vms_limit) OR (NEW.vcpus > OLD.vcpus AND o.vcpus > o.vcpus_limit)
    OR (NEW.memory_mib > OLD.memory_mib AND o.memory_mib > o.memory_mib_limit)
    OR (NEW.storage_gib > OLD.storage_gib AND o.storage_gib > o.storage_gib_limit)
    OR (NEW.networks > OLD.networks AND o.networks > o.networks_limit) OR (NEW.volumes > OLD.volumes AND o.volumes > o.volumes_limit)
    OR (NEW.snapshots > OLD.snapshots AND o.snapshots > o.snapshots_limit) OR (NEW.buckets > OLD.buckets AND o.buckets > o.buckets_limit)
    OR (NEW.addresses > OLD.addresses AND o.addresses > o.addresses_limit) OR (NEW.gpus > OLD.gpus AND o.gpus > o.gpus_limit)
    OR (NEW.bare_metal_hosts > OLD.bare_metal_hosts AND o.bare_metal_hosts > o.bare_metal_hosts_limit)
    OR (NEW.clusters > OLD.clusters AND o.clusters > o.clusters_limit)
  THEN
    RAISE EXCEPTION 'the quota of the organization does not suffice' USING ERRCODE = 'MWQ01';
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
DROP TRIGGER quotas_of_organization ON quotas;--> statement-breakpoint
CREATE TRIGGER quotas_of_organization AFTER UPDATE OF vms, vcpus, memory_mib, storage_gib, networks, volumes, snapshots,
  buckets, addresses, gpus, bare_metal_hosts, clusters ON quotas
FOR EACH ROW WHEN (NEW.limited_by IS NOT NULL) EXECUTE FUNCTION quota_of_organization();--> statement-breakpoint
-- A volume that is attached is attached to one VM alone; of several that a stuck job left, the newest counts.
UPDATE resource_uses u SET exclusive = true FROM resources x
WHERE x.id = u.used_id AND x.kind = 'volume'
  AND u.user_id = (SELECT max(o.user_id::text)::uuid FROM resource_uses o WHERE o.used_id = u.used_id);
