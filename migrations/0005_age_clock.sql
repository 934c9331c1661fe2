-- The age clock of an endpoint's deliveries stands still while the endpoint is held. It is one row of the endpoint, not a
-- change of every delivery that waits there: to resume a quarter of a million took longer than a second.
ALTER TABLE endpoint ADD COLUMN held_ms INTEGER NOT NULL DEFAULT 0;       -- how long it was held, of all holds that ended
ALTER TABLE endpoint ADD COLUMN stopped_ms INTEGER;                       -- since when it is held now; NULL: it is not
ALTER TABLE delivery ADD COLUMN held_before_ms INTEGER NOT NULL DEFAULT 0; -- what of held_ms was before its cycle

UPDATE endpoint SET stopped_ms = hold_since_ms WHERE hold_reason IS NOT NULL;
UPDATE delivery
SET held_before_ms = max(0, cycle_started_ms - (SELECT stopped_ms FROM endpoint WHERE endpoint.id = delivery.endpoint_id))
WHERE state IN ('scheduled', 'attempting', 'awaiting')
  AND endpoint_id IN (SELECT id FROM endpoint WHERE stopped_ms IS NOT NULL);
