-- The transaction id under which an event is read: at least its own transaction's, and at least that of the last
-- transaction that had ended when the event was written. The function is volatile and PL/pgSQL, so that it looks at a
-- fresh snapshot: whoever waited for a row's lock and then writes an event comes after whoever held that lock.
CREATE FUNCTION event_transaction() RETURNS xid8 LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  own xid8 := pg_current_xact_id();
  ended xid8 := (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)::text::xid8;
BEGIN
  RETURN greatest(own, ended);
END $$;
