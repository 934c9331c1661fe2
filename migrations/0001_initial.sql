-- The schema of Redeliver's failure database. Times are INTEGER milliseconds since 1970 UTC (suffix _ms) and come
-- from the program as parameters; no statement asks SQLite for the time. Columns are read through the views.

CREATE TABLE endpoint (
    -- A customer endpoint of the provider, how far its log is read, and whether its deliveries are held.
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),          -- 0: no longer in the configuration; kept, not retried
    history_from_ms INTEGER NOT NULL,                          -- failures logged before this are not ours to retry
    head_ms INTEGER,                                           -- newest provider time read; all before it is read but scan_gap
    last_scan_ms INTEGER,                                      -- our time at which the last completed scan began
    last_poll_ms INTEGER,                                      -- our time of the last poll that succeeded
    last_poll_error TEXT,                                      -- NULL: the last poll succeeded
    last_poll_error_ms INTEGER,
    retry_shows TEXT NOT NULL DEFAULT 'unknown'                -- how this log shows a retry; learned, decides how far back we read
        CHECK (retry_shows IN ('unknown', 'new_entry', 'in_place')),
    last_accepted_ms INTEGER NOT NULL DEFAULT 0,               -- the provider last took a retry on
    last_confirmed_ms INTEGER NOT NULL DEFAULT 0,              -- the log last showed the outcome of a retry of ours
    resumed_ms INTEGER NOT NULL DEFAULT 0,                     -- an operator last ended a hold; rows of bad outcomes begin anew
    hold_reason TEXT CHECK (hold_reason IN ('log_silent', 'rejected', 'redirected', 'operator')),
    hold_since_ms INTEGER,
    hold_until_ms INTEGER,                                     -- NULL with a reason: until a success in the log or an operator
    CHECK ((hold_reason IS NULL) = (hold_since_ms IS NULL)),
    CHECK (hold_until_ms IS NULL OR hold_reason IS NOT NULL),
    CHECK ((last_poll_error IS NULL) = (last_poll_error_ms IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    -- One failed delivery in our care. Narrow and hot; its body and raw ids are in delivery_body.
    id INTEGER NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,                                     -- as text; the raw JSON token is in delivery_body
    event_type TEXT NOT NULL,
    customer_id TEXT,
    webhook_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('scheduled', 'attempting', 'awaiting', 'delivered', 'dead')),
    cycle INTEGER NOT NULL DEFAULT 1 CHECK (cycle >= 1),       -- a requeue begins a new one
    cycle_started_ms INTEGER NOT NULL,                         -- the age limit counts from here
    attempts_used INTEGER NOT NULL DEFAULT 0 CHECK (attempts_used >= 0),
    logged_ms INTEGER NOT NULL,                                -- provider time of its log row, where a change in place shows
    first_failed_ms INTEGER NOT NULL,
    last_failed_ms INTEGER NOT NULL,
    next_attempt_ms INTEGER,
    lease_token INTEGER NOT NULL DEFAULT 0,                    -- raised by every claim; fences late outcomes
    lease_until_ms INTEGER,
    called_ms INTEGER,                                         -- intent of the call whose outcome is open
    confirm_by_ms INTEGER,                                     -- the log has until then
    server_errors INTEGER NOT NULL DEFAULT 0,                  -- 5xx answers to retries of this delivery, in a row
    server_errors_since_ms INTEGER,
    not_found_answers INTEGER NOT NULL DEFAULT 0,
    finalized_ms INTEGER,
    dead_reason TEXT CHECK (dead_reason IN ('attempts', 'age', 'rejected', 'superseded', 'discarded', 'poison')),
    delivered_by TEXT CHECK (delivered_by IN ('provider', 'worker', 'operator')),
    delivered_evidence TEXT CHECK (delivered_evidence IN ('log', 'answer')),
    delivered_task_id TEXT,                                    -- the log entry that proves it; NULL when an answer does
    superseded_by_task_id TEXT,                                -- a newer delivery of the same webhook, customer, type arrived
    last_error TEXT,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (endpoint_id, task_id),
    CHECK ((state = 'scheduled') = (next_attempt_ms IS NOT NULL)),
    CHECK ((state = 'attempting') = (lease_until_ms IS NOT NULL)),
    CHECK ((state IN ('attempting', 'awaiting')) = (called_ms IS NOT NULL)),
    CHECK ((state = 'awaiting') = (confirm_by_ms IS NOT NULL)),
    CHECK ((state IN ('delivered', 'dead')) = (finalized_ms IS NOT NULL)),
    CHECK ((state = 'dead') = (dead_reason IS NOT NULL)),
    CHECK ((state = 'delivered') = (delivered_by IS NOT NULL)),
    CHECK ((state = 'delivered') = (delivered_evidence IS NOT NULL)),
    CHECK (first_failed_ms <= last_failed_ms)
) STRICT;

CREATE INDEX delivery_due ON delivery (endpoint_id, next_attempt_ms, id) WHERE state = 'scheduled';
CREATE INDEX delivery_leased ON delivery (lease_until_ms) WHERE state = 'attempting';
CREATE INDEX delivery_awaiting ON delivery (confirm_by_ms, id) WHERE state = 'awaiting';
CREATE INDEX delivery_waiting ON delivery (endpoint_id, event_type, customer_id, called_ms)
    WHERE state IN ('attempting', 'awaiting');
CREATE INDEX delivery_event ON delivery (endpoint_id, event_type, customer_id)
    WHERE state IN ('scheduled', 'attempting', 'awaiting');
CREATE INDEX delivery_live ON delivery (event_type, state, first_failed_ms)
    WHERE state IN ('scheduled', 'attempting', 'awaiting');
CREATE INDEX delivery_dead ON delivery (event_type, dead_reason) WHERE state = 'dead';
CREATE INDEX delivery_final ON delivery (finalized_ms, state) WHERE finalized_ms IS NOT NULL;

CREATE TABLE delivery_body (
    -- What a retry sends, byte for byte as the log had it. People's identity data: apart from every view.
    delivery_id INTEGER NOT NULL PRIMARY KEY REFERENCES delivery (id) ON DELETE CASCADE,
    body BLOB,                                                 -- raw JSON; NULL once dropped, 7 d after the delivery
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    task_id_json TEXT NOT NULL,
    customer_id_json TEXT NOT NULL,
    webhook_id_json TEXT NOT NULL
) STRICT;

CREATE TABLE attempt (
    -- One retry call: intent first, committed before the call; then the provider's answer; then what the log proved.
    id INTEGER NOT NULL PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    cycle INTEGER NOT NULL,
    number INTEGER NOT NULL,                                   -- attempt number within the cycle, from 1
    kind TEXT NOT NULL CHECK (kind IN ('scheduled', 'manual')),
    lease_token INTEGER NOT NULL,
    intent_ms INTEGER NOT NULL,
    answered_ms INTEGER,
    answer TEXT,                                               -- accepted, uncertain, …; interrupted: we died in the call
    http_status INTEGER,
    named_task_id TEXT,
    detail TEXT,
    outcome TEXT CHECK (outcome IN ('delivered', 'failed', 'unconfirmed', 'not_executed', 'refused')),
    settled_ms INTEGER,
    UNIQUE (delivery_id, lease_token),
    CHECK ((answered_ms IS NULL) = (answer IS NULL)),
    CHECK ((settled_ms IS NULL) = (outcome IS NULL))
) STRICT;

CREATE INDEX attempt_open ON attempt (intent_ms) WHERE answered_ms IS NULL;
CREATE INDEX attempt_unconfirmed ON attempt (settled_ms) WHERE outcome = 'unconfirmed';
CREATE INDEX attempt_refused ON attempt (settled_ms) WHERE outcome = 'refused';

CREATE TABLE task_alias (
    -- Further task ids under which the provider logs a delivery of ours after a retry.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('named', 'matched')),
    PRIMARY KEY (endpoint_id, task_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX task_alias_delivery ON task_alias (delivery_id);

CREATE TABLE log_entry (
    -- What the provider's log said, once each: makes reading idempotent, remembers successes, tells the timeline.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    logged_ms INTEGER NOT NULL,                                -- provider time; 0: the entry has none
    outcome TEXT NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'in_progress')),
    delivery_id INTEGER REFERENCES delivery (id) ON DELETE CASCADE,
    http_status INTEGER,
    error TEXT,
    lease_token INTEGER,                                       -- of the call in flight when it was read: it may be its outcome
    found_ms INTEGER NOT NULL,                                 -- our time at which we first read it
    seen_ms INTEGER NOT NULL,                                  -- refreshed while the entry is still read
    PRIMARY KEY (endpoint_id, task_id, logged_ms, outcome)
) STRICT, WITHOUT ROWID;

CREATE INDEX log_entry_delivery ON log_entry (delivery_id, logged_ms) WHERE delivery_id IS NOT NULL;
CREATE INDEX log_entry_unrelated ON log_entry (seen_ms) WHERE delivery_id IS NULL;

CREATE TABLE latest_arrival (
    -- The newest delivery that arrived for each webhook, customer and event type: tells what is superseded.
    webhook_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    task_id TEXT NOT NULL,
    event_ms INTEGER NOT NULL,                                 -- when the event was first logged, not when it arrived
    PRIMARY KEY (webhook_id, customer_id, event_type)
) STRICT, WITHOUT ROWID;

CREATE INDEX latest_arrival_age ON latest_arrival (event_ms);

CREATE TABLE unreadable_entry (
    -- A log entry that the decoder could not understand, whole, so that nothing is lost.
    id INTEGER NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    sha256 BLOB NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    raw BLOB NOT NULL,
    raw_length INTEGER NOT NULL,                               -- more than length(raw): cut off, it was too large to keep
    logged_ms INTEGER,
    seen_ms INTEGER NOT NULL,
    UNIQUE (endpoint_id, sha256)
) STRICT;

CREATE INDEX unreadable_entry_age ON unreadable_entry (seen_ms);

CREATE TABLE scan_gap (
    -- A range of provider time that a scan has begun and not read to its end; later turns work it off.
    id INTEGER NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    resume_url TEXT,                                           -- NULL: begin at the log's first page again
    newest_first INTEGER NOT NULL CHECK (newest_first IN (0, 1)),
    started_ms INTEGER NOT NULL,                               -- our time at which its scan began
    CHECK (from_ms <= to_ms)
) STRICT;

CREATE INDEX scan_gap_endpoint ON scan_gap (endpoint_id, from_ms);

CREATE TABLE counter (
    -- Metrics that only rise; raised in the transaction of what they count.
    name TEXT NOT NULL,
    label_1 TEXT NOT NULL DEFAULT '',
    label_2 TEXT NOT NULL DEFAULT '',
    value INTEGER NOT NULL,
    PRIMARY KEY (name, label_1, label_2)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_event_type (
    -- The event types that have a label of their own in the metrics file; all further ones are `other`.
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_action (
    -- Who did what to a delivery or an endpoint, when and why.
    id INTEGER NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('requeue', 'discard', 'retry', 'pause', 'resume')),
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    delivery_id INTEGER REFERENCES delivery (id) ON DELETE CASCADE,
    reason TEXT NOT NULL
) STRICT;

CREATE INDEX operator_action_delivery ON operator_action (delivery_id) WHERE delivery_id IS NOT NULL;

-- The views are the interface for people: readable UTC times, ages in seconds, never a body. Columns stay once published.

CREATE VIEW v_open AS
    -- Deliveries that are neither delivered nor dead: what waits, since when, for what.
    SELECT
        delivery.id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.state,
        endpoint.hold_reason AS held_because,
        delivery.attempts_used,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.first_failed_ms / 1000, 'unixepoch') AS first_failed_at,
        CAST(strftime('%s', 'now') AS INTEGER) - delivery.first_failed_ms / 1000 AS age_s,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.next_attempt_ms / 1000, 'unixepoch') AS next_attempt_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.confirm_by_ms / 1000, 'unixepoch') AS confirm_by_at,
        delivery.last_error
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.state IN ('scheduled', 'attempting', 'awaiting');

CREATE VIEW v_dead AS
    -- Deliveries that were given up, with the reason; `redeliver deliveries requeue ID` brings one back.
    SELECT
        delivery.id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.dead_reason,
        delivery.attempts_used,
        delivery.superseded_by_task_id,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.first_failed_ms / 1000, 'unixepoch') AS first_failed_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.finalized_ms / 1000, 'unixepoch') AS died_at,
        CAST(strftime('%s', 'now') AS INTEGER) - delivery.finalized_ms / 1000 AS age_s,
        delivery.last_error
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.state = 'dead';

CREATE VIEW v_by_event_type AS
    -- How many deliveries of each event type are open, delivered and dead, and how old the oldest open one is.
    SELECT
        event_type,
        COUNT(*) FILTER (WHERE state IN ('scheduled', 'attempting', 'awaiting')) AS open,
        COUNT(*) FILTER (WHERE state = 'delivered') AS delivered,
        COUNT(*) FILTER (WHERE state = 'dead') AS dead,
        ROUND(AVG(finalized_ms - first_failed_ms) FILTER (WHERE state = 'delivered') / 1000.0, 1) AS mean_recovery_s,
        CAST(strftime('%s', 'now') AS INTEGER)
            - MIN(first_failed_ms) FILTER (WHERE state IN ('scheduled', 'attempting', 'awaiting')) / 1000 AS oldest_open_age_s
    FROM delivery
    GROUP BY event_type;

CREATE VIEW v_by_endpoint AS
    -- Each endpoint: how far its log is read, what is wrong with it, whether it is held.
    SELECT
        endpoint.name AS endpoint,
        endpoint.id AS endpoint_id,
        endpoint.active,
        (SELECT COUNT(*) FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled') AS scheduled,
        (SELECT COUNT(*) FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state IN ('attempting', 'awaiting')) AS in_flight,
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.last_poll_ms / 1000, 'unixepoch') AS last_poll_at,
        CAST(strftime('%s', 'now') AS INTEGER) - endpoint.last_poll_ms / 1000 AS last_poll_age_s,
        endpoint.last_poll_error,
        endpoint.hold_reason AS held_because,
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.hold_since_ms / 1000, 'unixepoch') AS held_since_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.hold_until_ms / 1000, 'unixepoch') AS held_until_at
    FROM endpoint;

CREATE VIEW v_timeline AS
    -- Everything that happened to a delivery, from the log, our calls and operators: WHERE task_id = '…' ORDER BY at_ms.
    SELECT
        delivery.id AS delivery_id,
        delivery.task_id,
        log_entry.logged_ms AS at_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ', log_entry.logged_ms / 1000, 'unixepoch') AS at,
        'log' AS source,
        log_entry.outcome AS what,
        CASE WHEN log_entry.task_id = delivery.task_id THEN log_entry.error
             ELSE 'as task ' || log_entry.task_id || coalesce(': ' || log_entry.error, '') END AS detail
    FROM delivery JOIN log_entry ON log_entry.delivery_id = delivery.id
    UNION ALL
    SELECT
        delivery.id, delivery.task_id, attempt.intent_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ', attempt.intent_ms / 1000, 'unixepoch'),
        'retry', coalesce(attempt.outcome, attempt.answer, 'calling'),
        'attempt ' || attempt.number || ', answer ' || coalesce(attempt.answer, 'none yet')
            || coalesce(' (HTTP ' || attempt.http_status || ')', '')
    FROM delivery JOIN attempt ON attempt.delivery_id = delivery.id
    UNION ALL
    SELECT
        delivery.id, delivery.task_id, operator_action.at_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ', operator_action.at_ms / 1000, 'unixepoch'),
        'operator', operator_action.action, operator_action.who || ': ' || operator_action.reason
    FROM delivery JOIN operator_action ON operator_action.delivery_id = delivery.id;
