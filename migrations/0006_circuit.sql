-- The circuit of an endpoint: while its receiver fails for all deliveries they are held, one trial at a time tells when
-- it is back, and then all are due at once, in the order in which they failed.

ALTER TABLE endpoint ADD COLUMN circuit_open_ms INTEGER;              -- since when it is open; NULL: it is not
ALTER TABLE endpoint ADD COLUMN circuit_next_trial_ms INTEGER
    CHECK ((circuit_open_ms IS NULL) = (circuit_next_trial_ms IS NULL));
ALTER TABLE endpoint ADD COLUMN circuit_limit INTEGER                 -- while draining: calls that may be open at once
    CHECK (circuit_limit IS NULL OR (circuit_limit >= 1 AND circuit_open_ms IS NULL));
ALTER TABLE endpoint ADD COLUMN circuit_step INTEGER NOT NULL DEFAULT 0; -- how far the ladder of trials was climbed
ALTER TABLE endpoint ADD COLUMN circuit_trial_id INTEGER;             -- the newest trial's delivery
ALTER TABLE endpoint ADD COLUMN circuit_arrival_ms INTEGER;           -- newest provider time of an arrival
ALTER TABLE endpoint ADD COLUMN circuit_failure_ms INTEGER;           -- newest provider time of a receiver's failure
ALTER TABLE endpoint ADD COLUMN circuit_ages INTEGER NOT NULL DEFAULT 0 -- 1: it is open for so long that its deliveries
    CHECK (circuit_ages = 0 OR (circuit_ages = 1 AND circuit_open_ms IS NOT NULL)); -- age and use attempts all the same
ALTER TABLE endpoint ADD COLUMN recovered_ms INTEGER;                 -- all that failed until then is due since then

-- Where a delivery stands in its endpoint's line: when it failed, not counting trials while the circuit was open.
ALTER TABLE delivery ADD COLUMN turn_ms INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET turn_ms = last_failed_ms WHERE state IN ('scheduled', 'attempting', 'awaiting');
-- The call that is open is a trial of its endpoint.
ALTER TABLE delivery ADD COLUMN is_trial INTEGER NOT NULL DEFAULT 0
    CHECK (is_trial = 0 OR (is_trial = 1 AND state IN ('attempting', 'awaiting')));
ALTER TABLE attempt ADD COLUMN is_trial INTEGER NOT NULL DEFAULT 0 CHECK (is_trial IN (0, 1));

CREATE INDEX delivery_line ON delivery (endpoint_id, turn_ms, id) WHERE state = 'scheduled' AND manual_ms IS NULL;

CREATE TABLE circuit_failure (
    -- The deliveries of an endpoint that failed in a row since anything arrived; so many open its circuit.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    delivery_id INTEGER NOT NULL,
    failed_ms INTEGER NOT NULL,                                       -- provider time of its newest failure
    PRIMARY KEY (endpoint_id, delivery_id)
) STRICT, WITHOUT ROWID;

-- The views that show it. As in the step before: columns that were published stay, new ones follow.

DROP VIEW v_open;
CREATE VIEW v_open AS
    -- What is stuck, and why? Deliveries that are neither delivered nor dead: since when they wait, and for what.
    SELECT
        delivery.id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.state,
        CASE
            WHEN endpoint.active = 0 THEN 'not configured'
            WHEN endpoint.hold_reason IS NOT NULL THEN endpoint.hold_reason
            WHEN endpoint.circuit_open_ms IS NOT NULL THEN 'circuit'
        END AS held_because,                                   -- of the whole endpoint; NULL: it is not held
        delivery.attempts_used,                                -- of this cycle; an operator's retries do not count
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.first_failed_ms / 1000, 'unixepoch') AS first_failed_at,
        CAST(strftime('%s', 'now') AS INTEGER) - delivery.first_failed_ms / 1000 AS age_s,
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE WHEN delivery.manual_ms IS NULL AND delivery.turn_ms <= endpoint.recovered_ms
                 THEN min(delivery.next_attempt_ms, endpoint.recovered_ms) ELSE delivery.next_attempt_ms
            END / 1000, 'unixepoch') AS next_attempt_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.confirm_by_ms / 1000, 'unixepoch')
            AS confirm_by_at,                                  -- the log has until then to show the outcome
        delivery.last_error,                                   -- the newest error text of the provider's log
        CASE
            WHEN delivery.state = 'attempting' THEN 'a call in flight'
            WHEN delivery.state = 'awaiting' AND delivery.confirm_by_ms / 1000 > CAST(strftime('%s', 'now') AS INTEGER)
                THEN 'the log'
            WHEN delivery.state = 'awaiting' THEN 'a complete reading of the log'
            WHEN endpoint.active = 0 THEN 'its endpoint in the configuration'
            WHEN endpoint.hold_reason = 'operator' THEN 'the hold operator'
            WHEN endpoint.hold_reason IS NOT NULL AND delivery.manual_ms IS NULL
                THEN 'the hold ' || endpoint.hold_reason
            WHEN endpoint.circuit_open_ms IS NOT NULL AND delivery.manual_ms IS NULL THEN 'its endpoint to recover'
            WHEN delivery.manual_ms IS NULL AND delivery.turn_ms <= endpoint.recovered_ms THEN 'its turn'
            WHEN delivery.next_attempt_ms / 1000 > CAST(strftime('%s', 'now') AS INTEGER) THEN 'its time'
            ELSE 'its turn'
        END AS waits_for,                                      -- its turn: it is due and held by nothing
        delivery.webhook_id,
        delivery.cycle,                                        -- more than 1: operators requeued it
        delivery.manual_ms IS NOT NULL AS is_manual,           -- 1: an operator's retry is asked for or under way
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.last_failed_ms / 1000, 'unixepoch') AS last_failed_at,
        delivery.superseded_by_task_id                         -- a newer event had arrived, see v_superseded
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.state IN ('scheduled', 'attempting', 'awaiting');

DROP VIEW v_due;
CREATE VIEW v_due AS
    -- What is due now or within the next hour, soonest first?
    WITH due (id, due_ms) AS (
        SELECT delivery.id,
            CASE WHEN delivery.manual_ms IS NULL AND delivery.turn_ms <= endpoint.recovered_ms
                 THEN min(delivery.next_attempt_ms, endpoint.recovered_ms) ELSE delivery.next_attempt_ms END
        FROM endpoint
        CROSS JOIN delivery ON delivery.endpoint_id = endpoint.id -- the index of what is due begins with the endpoint
        WHERE delivery.state = 'scheduled'
          AND delivery.next_attempt_ms < (CAST(strftime('%s', 'now') AS INTEGER) + 3600) * 1000
        UNION ALL
        -- what was held until its endpoint recovered, and by its own time would be due later
        SELECT delivery.id, endpoint.recovered_ms
        FROM endpoint
        CROSS JOIN delivery ON delivery.endpoint_id = endpoint.id
        WHERE delivery.state = 'scheduled' AND delivery.manual_ms IS NULL
          AND delivery.turn_ms <= endpoint.recovered_ms
          AND delivery.next_attempt_ms >= (CAST(strftime('%s', 'now') AS INTEGER) + 3600) * 1000
    )
    SELECT
        delivery.id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        delivery.customer_id,
        due.due_ms / 1000 - CAST(strftime('%s', 'now') AS INTEGER)
            AS due_in_s,                                       -- negative: overdue
        strftime('%Y-%m-%dT%H:%M:%SZ', due.due_ms / 1000, 'unixepoch') AS next_attempt_at,
        CASE
            WHEN endpoint.active = 0 THEN 'not configured'
            WHEN delivery.manual_ms IS NOT NULL AND endpoint.hold_reason IS NOT 'operator' THEN NULL
            WHEN endpoint.hold_reason IS NOT NULL THEN endpoint.hold_reason
            WHEN endpoint.circuit_open_ms IS NOT NULL THEN 'circuit'
        END AS held_because,                                   -- NULL: it is called when due; an operator's
                                                               -- retry passes every hold but an operator's
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE WHEN endpoint.hold_reason IS NULL THEN endpoint.circuit_next_trial_ms ELSE endpoint.hold_until_ms
            END / 1000, 'unixepoch')
            AS held_until_at,                                  -- then one delivery of the endpoint is tried
        delivery.attempts_used,
        delivery.manual_ms IS NOT NULL AS is_manual,           -- 1: an operator asked for this retry
        CAST(strftime('%s', 'now') AS INTEGER) - delivery.first_failed_ms / 1000 AS age_s
    FROM due
    CROSS JOIN delivery ON delivery.id = due.id
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    ORDER BY due.due_ms, delivery.id;

DROP VIEW v_timeline;
CREATE VIEW v_timeline AS
    -- What happened to one delivery? WHERE task_id = '…' ORDER BY at_ms; as quick: WHERE delivery_id = ….
    -- A further task id, under which the provider logged a retry, has one row; its detail names the delivery.
    SELECT
        delivery.id AS delivery_id,
        delivery.task_id,
        CASE log_entry.logged_ms WHEN 0 THEN log_entry.found_ms ELSE log_entry.logged_ms END AS at_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE log_entry.logged_ms WHEN 0 THEN log_entry.found_ms ELSE log_entry.logged_ms END / 1000, 'unixepoch')
            AS at,                                             -- log: the provider's time, else ours; else our time
        'log' AS source,                                       -- log, redeliver, retry or operator
        log_entry.outcome AS what,
        CASE WHEN log_entry.task_id = delivery.task_id THEN log_entry.error
             ELSE 'as task ' || log_entry.task_id || coalesce(': ' || log_entry.error, '') END AS detail,
        endpoint.name AS endpoint
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    JOIN log_entry ON log_entry.delivery_id = delivery.id
    UNION ALL
    SELECT
        delivery.id, delivery.task_id, delivery.created_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.created_ms / 1000, 'unixepoch'),
        'redeliver', 'discovered', delivery.event_type || coalesce(' of customer ' || delivery.customer_id, ''),
        endpoint.name
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    UNION ALL
    SELECT
        named.delivery_id, named.task_id, named.at_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ', named.at_ms / 1000, 'unixepoch'),
        'redeliver', 'further task id',
        'of task ' || named.first_task_id || ', delivery ' || named.delivery_id
            || CASE named.source WHEN 'named' THEN ' (an answer named it)' ELSE ' (its content matched)' END,
        named.endpoint
    FROM (
        SELECT
            delivery.id AS delivery_id, task_alias.task_id, task_alias.source, endpoint.name AS endpoint,
            delivery.task_id AS first_task_id,
            coalesce(
                (SELECT MIN(answered_ms) FROM attempt
                 WHERE attempt.delivery_id = delivery.id AND attempt.named_task_id = task_alias.task_id),
                (SELECT MIN(found_ms) FROM log_entry
                 WHERE log_entry.endpoint_id = delivery.endpoint_id AND log_entry.task_id = task_alias.task_id),
                delivery.created_ms) AS at_ms
        FROM task_alias
        JOIN delivery ON delivery.id = task_alias.delivery_id
        JOIN endpoint ON endpoint.id = delivery.endpoint_id
    ) AS named
    UNION ALL
    SELECT
        delivery.id, delivery.task_id, attempt.intent_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ', attempt.intent_ms / 1000, 'unixepoch'),
        'retry', coalesce(attempt.outcome, attempt.answer, 'calling'),
        CASE WHEN attempt.kind = 'manual' THEN 'an operator''s retry'
             WHEN attempt.is_trial = 1 THEN 'a trial of its endpoint' ELSE 'attempt ' || attempt.number END
            || ', answer ' || coalesce(attempt.answer, 'none yet')
            || coalesce(' (HTTP ' || attempt.http_status || ')', '')
            || coalesce(', settled after ' || ((attempt.settled_ms - attempt.intent_ms) / 1000) || ' s', ''),
        endpoint.name
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    JOIN attempt ON attempt.delivery_id = delivery.id
    UNION ALL
    SELECT
        delivery.id, delivery.task_id, operator_action.at_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ', operator_action.at_ms / 1000, 'unixepoch'),
        'operator', operator_action.action, operator_action.who || ': ' || operator_action.reason,
        endpoint.name
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    JOIN operator_action ON operator_action.delivery_id = delivery.id
    UNION ALL
    SELECT
        delivery.id, delivery.task_id, delivery.finalized_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.finalized_ms / 1000, 'unixepoch'),
        'redeliver', delivery.state,
        coalesce(
            delivery.dead_reason, 'by ' || delivery.delivered_by || ', shown by the ' || delivery.delivered_evidence),
        endpoint.name
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.finalized_ms IS NOT NULL;

DROP VIEW v_by_endpoint;
CREATE VIEW v_by_endpoint AS
    -- Which endpoint is to blame? How far its log is read, what waits, arrives and fails, and whether it is held.
    WITH
        oldest (endpoint_id, first_failed_ms) AS (
            SELECT endpoint_id, MIN(first_failed_ms) FROM delivery INDEXED BY delivery_event
            WHERE state IN ('scheduled', 'attempting', 'awaiting') GROUP BY endpoint_id
        ),
        dead_now (endpoint_id, n, n_24h) AS (
            SELECT endpoint_id, COUNT(*), COUNT(*) FILTER (
                WHERE finalized_ms > (CAST(strftime('%s', 'now') AS INTEGER) - 86400) * 1000)
            FROM delivery INDEXED BY delivery_died
            WHERE state = 'dead' GROUP BY endpoint_id
        ),
        arrived (endpoint_id, n) AS (
            SELECT endpoint_id, COUNT(*) FROM delivery INDEXED BY delivery_delivered
            WHERE state = 'delivered' AND finalized_ms > (CAST(strftime('%s', 'now') AS INTEGER) - 86400) * 1000
            GROUP BY endpoint_id
        ),
        called (endpoint_id, n, failed, unconfirmed, refused) AS (
            SELECT delivery.endpoint_id, COUNT(*), COUNT(*) FILTER (WHERE attempt.outcome = 'failed'),
                COUNT(*) FILTER (WHERE attempt.outcome = 'unconfirmed'),
                COUNT(*) FILTER (WHERE attempt.outcome IN ('refused', 'not_executed'))
            FROM attempt CROSS JOIN delivery ON delivery.id = attempt.delivery_id -- CROSS: the few calls first
            WHERE attempt.intent_ms > (CAST(strftime('%s', 'now') AS INTEGER) - 86400) * 1000
            GROUP BY delivery.endpoint_id
        ),
        gap (endpoint_id, from_ms, length_ms) AS (
            SELECT endpoint_id, MIN(from_ms), SUM(to_ms - from_ms) FROM scan_gap GROUP BY endpoint_id
        )
    SELECT
        endpoint.name AS endpoint,
        endpoint.id AS endpoint_id,
        endpoint.active,                                       -- 0: no longer in the configuration; kept, not retried
        (SELECT COUNT(*) FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled') AS scheduled,
        (SELECT COUNT(*) FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state IN ('attempting', 'awaiting'))
            AS in_flight,                                      -- called; the answer or the log is awaited
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.last_poll_ms / 1000, 'unixepoch') AS last_poll_at,
        CAST(strftime('%s', 'now') AS INTEGER) - endpoint.last_poll_ms / 1000 AS last_poll_age_s,
        endpoint.last_poll_error,                              -- NULL: the last poll succeeded
        CASE
            WHEN endpoint.active = 0 THEN 'not configured'
            WHEN endpoint.hold_reason IS NOT NULL THEN endpoint.hold_reason
            WHEN endpoint.circuit_open_ms IS NOT NULL THEN 'circuit'
        END AS held_because,
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE WHEN endpoint.hold_reason IS NULL THEN endpoint.circuit_open_ms ELSE endpoint.hold_since_ms
            END / 1000, 'unixepoch') AS held_since_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.hold_until_ms / 1000, 'unixepoch')
            AS held_until_at,                                  -- NULL: until a success in the log, or an operator
        (SELECT COUNT(*) FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled'
           AND delivery.next_attempt_ms < (CAST(strftime('%s', 'now') AS INTEGER) + 1) * 1000)
            AS due_now,                                        -- of the scheduled ones, held ones included
        CAST(strftime('%s', 'now') AS INTEGER) - oldest.first_failed_ms / 1000 AS oldest_open_age_s,
        coalesce(dead_now.n, 0) AS dead,
        coalesce(arrived.n, 0) AS delivered_24h,               -- arrivals, by whichever attempt
        coalesce(dead_now.n_24h, 0) AS died_24h,
        coalesce(called.n, 0) AS calls_24h,                    -- retry calls of the last 24 hours
        coalesce(called.failed, 0) AS failed_calls_24h,        -- the receiver failed again: its fault
        coalesce(called.unconfirmed, 0) AS unconfirmed_calls_24h, -- the log never showed what came of it
        coalesce(called.refused, 0) AS refused_calls_24h,      -- not taken on: the provider's fault, or ours
        coalesce(gap.length_ms, 0) / 1000 AS scan_gap_s,       -- log time that is still to be read
        strftime('%Y-%m-%dT%H:%M:%SZ',
            coalesce(min(endpoint.head_ms, gap.from_ms), endpoint.head_ms) / 1000, 'unixepoch')
            AS log_read_up_to_at,                              -- provider time; all before it is read
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.last_poll_error_ms / 1000, 'unixepoch') AS last_poll_error_at,
        endpoint.retry_shows,                                  -- a retry is logged as new_entry, or in_place
        CASE
            WHEN endpoint.circuit_open_ms IS NOT NULL THEN 'open'
            WHEN endpoint.circuit_limit IS NOT NULL THEN 'draining'
            ELSE 'closed'
        END AS circuit,                                        -- open: its receiver fails for all deliveries
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE WHEN endpoint.circuit_open_ms IS NULL AND endpoint.circuit_limit IS NOT NULL
                 THEN endpoint.recovered_ms ELSE endpoint.circuit_open_ms END / 1000, 'unixepoch')
            AS circuit_since_at,                               -- NULL: it is closed
        CASE
            WHEN endpoint.circuit_open_ms IS NOT NULL THEN
                'its receiver failed for different deliveries in a row, last '
                || strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.circuit_failure_ms / 1000, 'unixepoch')
            WHEN endpoint.circuit_limit IS NOT NULL THEN
                'it is back: at most ' || endpoint.circuit_limit || ' calls are open at once'
        END AS circuit_because,
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.circuit_next_trial_ms / 1000, 'unixepoch')
            AS next_trial_at,                                  -- while one is under way: after it
        (SELECT delivery.task_id FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state IN ('attempting', 'awaiting')
           AND delivery.is_trial = 1 LIMIT 1)
            AS trial_task_id,                                  -- the trial that is under way
        CASE WHEN endpoint.hold_reason IS NULL AND endpoint.circuit_open_ms IS NULL AND endpoint.active = 1 THEN 0
             ELSE (SELECT COUNT(*) FROM delivery
                   WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled') END
            AS held                                            -- deliveries that wait for the end of the hold
    FROM endpoint
    LEFT JOIN oldest ON oldest.endpoint_id = endpoint.id
    LEFT JOIN dead_now ON dead_now.endpoint_id = endpoint.id
    LEFT JOIN arrived ON arrived.endpoint_id = endpoint.id
    LEFT JOIN called ON called.endpoint_id = endpoint.id
    LEFT JOIN gap ON gap.endpoint_id = endpoint.id
    ORDER BY endpoint.name, endpoint.id;

DROP VIEW v_health;
CREATE VIEW v_health AS
    -- Is all well? One row for each check; what needs a look comes first.
    WITH
        clock (s, ms) AS (
            SELECT CAST(strftime('%s', 'now') AS INTEGER), CAST(strftime('%s', 'now') AS INTEGER) * 1000
        ),
        silent (name, last_poll_ms) AS (
            -- 15 minutes: the interval of polls is not in the database, and few choose one so long
            SELECT name, last_poll_ms FROM endpoint
            WHERE active = 1 AND coalesce(last_poll_ms, 0) < (SELECT ms FROM clock) - 900000 ORDER BY name
        ),
        waiting (id, late_s) AS (
            -- the delivery of each endpoint that is due for longest, of those that nothing holds
            SELECT soonest.id, (SELECT s FROM clock) - delivery.next_attempt_ms / 1000
            FROM (
                SELECT (SELECT id FROM delivery
                        WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled'
                        ORDER BY next_attempt_ms, id LIMIT 1) AS id
                FROM endpoint
                WHERE active = 1 AND hold_reason IS NULL AND circuit_open_ms IS NULL AND circuit_limit IS NULL
            ) AS soonest
            JOIN delivery ON delivery.id = soonest.id
            WHERE delivery.next_attempt_ms <= (SELECT ms FROM clock)
        ),
        manual (id, late_s) AS (
            SELECT id, (SELECT s FROM clock) - manual_ms / 1000 FROM delivery
            WHERE state = 'scheduled' AND manual_ms IS NOT NULL
        ),
        died (reason, n) AS (
            SELECT dead_reason, COUNT(*) FROM delivery INDEXED BY delivery_died
            WHERE finalized_ms > (SELECT ms FROM clock) - 86400000 AND state = 'dead' GROUP BY dead_reason
        ),
        called (id, late_s) AS (
            -- calls whose process or log leaves us without an outcome long after it should be known
            SELECT id, (SELECT s FROM clock) - lease_until_ms / 1000 FROM delivery WHERE state = 'attempting'
            UNION ALL
            SELECT id, (SELECT s FROM clock) - confirm_by_ms / 1000 FROM delivery WHERE state = 'awaiting'
        ),
        unconfigured (name, n) AS (
            SELECT name, n FROM (
                SELECT endpoint.name,
                    (SELECT COUNT(*) FROM delivery
                     WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled')
                    + (SELECT COUNT(*) FROM delivery
                       WHERE delivery.endpoint_id = endpoint.id AND delivery.state IN ('attempting', 'awaiting')) AS n
                FROM endpoint WHERE active = 0
            ) WHERE n > 0 ORDER BY name
        ),
        finding (position, check_name, ok, value, detail) AS (
            SELECT 1, 'logs_not_read', COUNT(*) = 0, COUNT(*),
                group_concat(name || coalesce(
                    ' since ' || strftime('%Y-%m-%dT%H:%M:%SZ', last_poll_ms / 1000, 'unixepoch'), ' never'), ', ')
            FROM silent
            UNION ALL
            SELECT 2, 'polls_failing', COUNT(*) = 0, COUNT(*), group_concat(name || ': ' || last_poll_error, '; ')
            FROM (SELECT name, last_poll_error FROM endpoint
                  WHERE active = 1 AND last_poll_error IS NOT NULL ORDER BY name)
            UNION ALL
            SELECT 3, 'endpoints_held', COUNT(*) = 0, COUNT(*),
                group_concat(name || ': ' || hold_reason || ' since '
                    || strftime('%Y-%m-%dT%H:%M:%SZ', hold_since_ms / 1000, 'unixepoch'), ', ')
            FROM (SELECT name, hold_reason, hold_since_ms FROM endpoint
                  WHERE active = 1 AND hold_reason IS NOT NULL ORDER BY name)
            UNION ALL
            SELECT 12, 'circuits_open', COUNT(*) = 0, COUNT(*),
                group_concat(name || ' since '
                    || strftime('%Y-%m-%dT%H:%M:%SZ', circuit_open_ms / 1000, 'unixepoch'), ', ')
            FROM (SELECT name, circuit_open_ms FROM endpoint
                  WHERE active = 1 AND circuit_open_ms IS NOT NULL ORDER BY name)
            UNION ALL
            SELECT 4, 'deliveries_overdue', coalesce(MAX(late_s), 0) <= 300, coalesce(MAX(late_s), 0),
                'longest: delivery ' || (SELECT id FROM waiting ORDER BY late_s DESC, id LIMIT 1)
            FROM waiting
            UNION ALL
            SELECT 5, 'calls_overdue', COUNT(*) FILTER (WHERE late_s > 300) = 0, COUNT(*) FILTER (WHERE late_s > 300),
                'longest: delivery '
                    || (SELECT id FROM called WHERE late_s > 300 ORDER BY late_s DESC, id LIMIT 1)
            FROM called
            UNION ALL
            SELECT 6, 'calls_unconfirmed_24h', COUNT(*) = 0, COUNT(*),
                'of ' || COUNT(DISTINCT delivery_id) || ' deliveries'
            FROM attempt WHERE outcome = 'unconfirmed' AND settled_ms > (SELECT ms FROM clock) - 86400000
            UNION ALL
            SELECT 7, 'deliveries_died_24h', TOTAL(n) FILTER (WHERE reason NOT IN ('discarded', 'superseded')) = 0,
                coalesce(SUM(n), 0), group_concat(reason || ' ' || n, ', ')
            FROM (SELECT reason, n FROM died ORDER BY reason)
            UNION ALL
            SELECT 8, 'entries_unreadable', COUNT(*) = 0, coalesce(SUM(n), 0), group_concat(reason || ' ' || n, ', ')
            FROM (SELECT reason, COUNT(*) AS n FROM unreadable_entry GROUP BY reason ORDER BY reason)
            UNION ALL
            SELECT 9, 'log_unread_s', COUNT(*) = 0, coalesce(SUM(length_s), 0),
                group_concat(name || ' ' || length_s, ', ')
            FROM (SELECT endpoint.name, SUM(to_ms - from_ms) / 1000 AS length_s
                  FROM scan_gap JOIN endpoint ON endpoint.id = scan_gap.endpoint_id
                  GROUP BY endpoint.id ORDER BY endpoint.name)
            UNION ALL
            SELECT 10, 'endpoints_not_configured', COUNT(*) = 0, coalesce(SUM(n), 0),
                group_concat(name || ' ' || n, ', ')
            FROM unconfigured
            UNION ALL
            SELECT 11, 'manual_retries_pending', coalesce(MAX(late_s), 0) <= 300, COUNT(*),
                'longest: delivery ' || (SELECT id FROM manual ORDER BY late_s DESC, id LIMIT 1)
            FROM manual
        )
    SELECT
        check_name,
        ok,                                                    -- 1: nothing to do
        value,                                                 -- a count; deliveries_overdue and log_unread_s: seconds
        CASE WHEN value > 0 THEN detail END AS detail
    FROM finding
    ORDER BY ok, position;
