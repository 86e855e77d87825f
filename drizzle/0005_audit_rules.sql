-- Rows of the audit log are only ever added. Rights say so for the roles that run; these triggers say so to everyone.
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;--> statement-breakpoint
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();--> statement-breakpoint
CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();--> statement-breakpoint
-- What the release before has written, and what it still writes while both run. Its job's own row is closed with the
-- job; beside it stand settlements, which have an id of their own.
CREATE FUNCTION audit_carry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE act uuid := CASE WHEN NEW.action LIKE 'job.settle.%' THEN NEW.id ELSE NEW.job_id END;
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO audit_entries (at, act_id, phase, organization_id, project_id, actor, origin, action, resource_id, job_id, reason)
    VALUES (NEW.at, act, 'opened', NEW.organization_id, NEW.project_id, NEW.actor, NEW.origin, NEW.action, NEW.resource_id, NEW.job_id, NEW.reason)
    ON CONFLICT DO NOTHING;
  END IF;
  IF NEW.outcome IS NOT NULL THEN
    INSERT INTO audit_entries (at, act_id, phase, outcome) VALUES (coalesce(NEW.closed_at, now()), act, 'closed', NEW.outcome)
    ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;--> statement-breakpoint
INSERT INTO audit_entries (at, act_id, phase, organization_id, project_id, actor, origin, action, resource_id, job_id, reason)
SELECT at, CASE WHEN action LIKE 'job.settle.%' THEN id ELSE job_id END, 'opened', organization_id, project_id, actor, origin, action, resource_id, job_id, reason
FROM audit_log ORDER BY id ON CONFLICT DO NOTHING;--> statement-breakpoint
INSERT INTO audit_entries (at, act_id, phase, outcome)
SELECT coalesce(closed_at, at), CASE WHEN action LIKE 'job.settle.%' THEN id ELSE job_id END, 'closed', outcome
FROM audit_log WHERE outcome IS NOT NULL ORDER BY closed_at ON CONFLICT DO NOTHING;--> statement-breakpoint
CREATE TRIGGER audit_log_carry AFTER INSERT OR UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_carry();
