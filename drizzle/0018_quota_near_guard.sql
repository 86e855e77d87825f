-- A control worker of the release before resolves every incident whose cause it does not know: those without a job stay
-- open until somebody resolves them who knows.
CREATE FUNCTION incidents_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RETURN NULL;
END $$;--> statement-breakpoint
CREATE TRIGGER incidents_keep BEFORE UPDATE ON incidents FOR EACH ROW
  WHEN (OLD.job_id IS NULL AND OLD.resolved_at IS NULL AND NEW.resolved_at IS NOT NULL AND NEW.resolution IS NULL)
  EXECUTE FUNCTION incidents_keep();
