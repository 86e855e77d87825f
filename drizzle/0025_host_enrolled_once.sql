-- A host has one resource, whoever's: two would wipe what the other deployed. Not an index, since the row of one that was
-- given up stays. A system that is not named may be any of its controller's.
CREATE FUNCTION bare_metal_host_enrolled_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('controller ' || NEW.controller, 0));
  IF EXISTS (
    SELECT FROM bare_metal_hosts k LEFT JOIN resources r ON r.id = k.resource_id
    WHERE k.controller = NEW.controller AND r.deleted_at IS NULL
      AND (k.bmc_system_id IS NULL OR NEW.bmc_system_id IS NULL OR k.bmc_system_id = NEW.bmc_system_id)
  ) THEN
    RAISE unique_violation USING CONSTRAINT = 'bare_metal_hosts_controller', MESSAGE = 'the host is enrolled already';
  END IF;
  RETURN NEW;
END $$;--> statement-breakpoint
CREATE TRIGGER bare_metal_hosts_enrolled_once BEFORE INSERT ON bare_metal_hosts
FOR EACH ROW EXECUTE FUNCTION bare_metal_host_enrolled_once();
