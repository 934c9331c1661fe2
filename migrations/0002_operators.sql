-- What operators do by hand: retries beside the schedule, test events, restored backups.

-- An operator's retry that is asked for or under way (manual_ms: when it was asked for). What its schedule was is kept
-- beside it, a next attempt or the reason why it was dead, and holds again when the operator's retry comes to nothing.
ALTER TABLE delivery ADD COLUMN manual_ms INTEGER
    CHECK (manual_ms IS NULL OR state IN ('scheduled', 'attempting', 'awaiting'));
ALTER TABLE delivery ADD COLUMN kept_attempt_ms INTEGER;
ALTER TABLE delivery ADD COLUMN kept_dead_reason TEXT
    CHECK ((manual_ms IS NULL) = (kept_attempt_ms IS NULL AND kept_dead_reason IS NULL));

CREATE INDEX delivery_manual ON delivery (endpoint_id, next_attempt_ms, id)
    WHERE state = 'scheduled' AND manual_ms IS NOT NULL;
CREATE INDEX delivery_customer ON delivery (customer_id) WHERE customer_id IS NOT NULL;

-- When a backup was restored: what was attempted between the backup and then is not in the database. 0: never.
ALTER TABLE endpoint ADD COLUMN restored_ms INTEGER NOT NULL DEFAULT 0;

CREATE TABLE provider_pause (
    -- Why the running daemon makes no call at all at the moment; empty while it may. Of no meaning when none runs.
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    reason TEXT NOT NULL,                                      -- throttled, unavailable, outage, credential
    since_ms INTEGER NOT NULL,
    until_ms INTEGER                                           -- NULL: until the credential works
) STRICT;

CREATE TABLE test_event (
    -- Events that an operator made the provider send as a test: their log entries are kept and never retried.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    who TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, task_id)
) STRICT, WITHOUT ROWID;
