-- Whether an endpoint's log shows retries under the deliveries' own task ids. Where it does, an entry with a task id of its
-- own is an event of its own, however alike.

ALTER TABLE endpoint ADD COLUMN own_names INTEGER NOT NULL DEFAULT 0  -- outcomes of calls in a row that stood under the
    CHECK (own_names >= 0);                                           -- delivery's own task id; one of another begins anew
ALTER TABLE endpoint ADD COLUMN own_names_ms INTEGER                  -- our time of the first failure among them; NULL:
    CHECK (own_names_ms IS NULL OR own_names > 0);                    -- none, and failures may stand under other names
