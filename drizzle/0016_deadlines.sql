-- Of what has ended nobody asks whether it is late: those rows stay as they are.
UPDATE jobs SET deadline_at = (input -> 'deadlines' ->> 'jobAt')::timestamptz
WHERE ended_at IS NULL AND deadline_at IS NULL AND input -> 'deadlines' IS NOT NULL;
