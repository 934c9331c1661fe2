-- What the metrics are told from: to tell them took a look at every dead delivery, and a retry wrote an index only for them.

-- How many are open, of which type and since when: another index has it. With the column of its condition, so that the table
-- itself is not read for it.
DROP INDEX delivery_live;
DROP INDEX delivery_event;
CREATE INDEX delivery_event ON delivery (endpoint_id, event_type, customer_id, first_failed_ms, finalized_ms)
    WHERE finalized_ms IS NULL;

CREATE TABLE dead_count (
    -- How many deliveries are dead now, kept by triggers in the transaction of what changes it.
    event_type TEXT NOT NULL,
    dead_reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (event_type, dead_reason)
) STRICT, WITHOUT ROWID;

INSERT INTO dead_count
SELECT event_type, dead_reason, COUNT(*) FROM delivery WHERE state = 'dead' GROUP BY event_type, dead_reason;

-- Triggers, and not the program: whoever mends rows by hand does not leave a wrong count behind (REPLACE does; `redeliver
-- database check` tells). A retry pays nothing for them: its statements do not name the columns.
CREATE TRIGGER delivery_stored_dead AFTER INSERT ON delivery WHEN NEW.dead_reason IS NOT NULL
BEGIN
    INSERT INTO dead_count VALUES (NEW.event_type, NEW.dead_reason, 1)
    ON CONFLICT (event_type, dead_reason) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER delivery_died_or_requeued AFTER UPDATE OF dead_reason, event_type ON delivery
WHEN OLD.dead_reason IS NOT NEW.dead_reason OR OLD.event_type IS NOT NEW.event_type
BEGIN
    UPDATE dead_count SET n = n - 1 WHERE event_type = OLD.event_type AND dead_reason = OLD.dead_reason;
    INSERT INTO dead_count SELECT NEW.event_type, NEW.dead_reason, 1 WHERE NEW.dead_reason IS NOT NULL
    ON CONFLICT (event_type, dead_reason) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER delivery_dead_removed AFTER DELETE ON delivery WHEN OLD.dead_reason IS NOT NULL
BEGIN
    UPDATE dead_count SET n = n - 1 WHERE event_type = OLD.event_type AND dead_reason = OLD.dead_reason;
END;

CREATE TABLE backup (
    -- When `redeliver database backup` last made a whole copy; no row: never.
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    at_ms INTEGER NOT NULL
) STRICT;

-- The view that counted them. Its columns stay.
DROP VIEW v_by_event_type;
CREATE VIEW v_by_event_type AS
    -- How many deliveries of each event type are open, delivered and dead, and how long do they take to arrive?
    -- Event types are named as in the metrics; those without a label of their own share the row `other`.
    WITH
        label (name, position) AS (
            SELECT name, position FROM metric_event_type UNION ALL SELECT 'other', NULL
        ),
        open_now (label, n, oldest_ms) AS (
            SELECT coalesce(metric_event_type.name, 'other') AS label, SUM(type.n), MIN(type.oldest_ms)
            FROM (
                SELECT endpoint_id, event_type, COUNT(*) AS n, MIN(first_failed_ms) AS oldest_ms FROM delivery
                WHERE finalized_ms IS NULL GROUP BY endpoint_id, event_type
            ) AS type
            LEFT JOIN metric_event_type ON metric_event_type.name = type.event_type
            GROUP BY label
        ),
        dead_now (label, n) AS (
            SELECT coalesce(metric_event_type.name, 'other') AS label, SUM(dead_count.n)
            FROM dead_count
            LEFT JOIN metric_event_type ON metric_event_type.name = dead_count.event_type
            WHERE dead_count.n > 0
            GROUP BY label
        ),
        recovered (label, n, total_ms, slowest_ms) AS (
            SELECT coalesce(metric_event_type.name, 'other') AS label, COUNT(*),
                SUM(max(finalized_ms - first_failed_ms, 0)), MAX(max(finalized_ms - first_failed_ms, 0))
            FROM delivery INDEXED BY delivery_delivered
            LEFT JOIN metric_event_type ON metric_event_type.name = delivery.event_type
            WHERE delivery.finalized_ms > (CAST(strftime('%s', 'now') AS INTEGER) - 7 * 86400) * 1000
              AND delivery.state = 'delivered'
            GROUP BY label
        )
    SELECT
        label.name AS event_type,
        coalesce(open_now.n, 0) AS open,
        coalesce(counter.value, 0) AS delivered,               -- since the database was made, pruned ones included
        coalesce(dead_now.n, 0) AS dead,                       -- now: requeued and pruned ones are not
        ROUND(recovered.total_ms / 1000.0 / recovered.n, 1)
            AS mean_recovery_s,                                -- first failure to arrival, of the last 7 days
        CAST(strftime('%s', 'now') AS INTEGER) - open_now.oldest_ms / 1000 AS oldest_open_age_s,
        ROUND(recovered.slowest_ms / 1000.0, 1) AS slowest_recovery_s, -- of the last 7 days
        coalesce(recovered.n, 0) AS delivered_7d               -- arrivals of the last 7 days
    FROM label
    LEFT JOIN counter
        ON counter.name = 'deliveries_finalized' AND counter.label_1 = label.name AND counter.label_2 = 'delivered'
    LEFT JOIN open_now ON open_now.label = label.name
    LEFT JOIN dead_now ON dead_now.label = label.name
    LEFT JOIN recovered ON recovered.label = label.name
    WHERE label.name <> 'other' OR coalesce(open_now.n, counter.value, dead_now.n) IS NOT NULL
    ORDER BY label.position IS NULL, label.position;
