-- The schema of Redeliver's failure database: its tables, each with its indexes; triggers; then the views.
--
-- Times are INTEGER milliseconds since 1970 UTC, in columns that end in _ms. Statements of the program get the time as
-- a parameter. Only the views for people, which begin with v_, ask SQLite's own clock.
--
-- A CHECK or the condition of an index never lists three or more values with IN: SQLite makes a table in memory for
-- such a list, anew for every row that is written, and that takes longer than all the rest. Comparisons need none.

CREATE TABLE endpoint (
    -- A customer endpoint of the provider: how far its log is read, and whether its deliveries are held.
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    webhook_id TEXT,                                    -- what names it in an entry of a log; NULL: its id
    active INTEGER NOT NULL CHECK (active IN (0, 1)),   -- 0: no longer in the configuration; kept, not retried
    history_from_ms INTEGER NOT NULL,                   -- failures logged before this are not ours to retry
    restored_ms INTEGER NOT NULL DEFAULT 0,             -- when a backup was restored; 0: never
    too_old INTEGER NOT NULL DEFAULT 0                  -- failures that were not taken: logged before history_from_ms,
        CHECK (too_old >= 0),                           -- or 90 days before they were read
    too_old_from_ms INTEGER,                            -- provider time of the oldest of them that was logged since
                                                        -- history_from_ms; NULL: none was

    -- The reading of its log.
    head_ms INTEGER,                                    -- newest provider time read; all before is read but scan_gap
    last_scan_ms INTEGER,                               -- our time at which the last completed scan began
    last_poll_ms INTEGER,                               -- our time of the last poll that succeeded
    last_poll_error TEXT,                               -- NULL: the last poll succeeded
    last_poll_error_ms INTEGER,
    look_wanted_ms INTEGER,                             -- our time since which due deliveries wait for a look at it
                                                        -- that is overdue; NULL: none does
    left_out_ms INTEGER,                                -- when unreadable entries were last left out, to within an
                                                        -- hour, because enough are kept; NULL: never
    odd_body TEXT CHECK (odd_body = 'text' OR odd_body = 'python'), -- what is odd about a failure's body that was read:
    odd_body_ms INTEGER,                                -- a string without JSON, or a Python value; and when
    zone_hint TEXT,                                     -- of which zone its log's times seem to be; how many entries in
    zone_hint_rows INTEGER NOT NULL DEFAULT 0,          -- a row said so
    zone_hint_ms INTEGER,                               -- and when the last one did
    retry_shows TEXT NOT NULL DEFAULT 'unknown'         -- how the log shows a retry; learned from it
        CHECK (retry_shows = 'unknown' OR retry_shows = 'new_entry' OR retry_shows = 'in_place'),
    own_names INTEGER NOT NULL DEFAULT 0                -- outcomes in a row that the log showed under the
        CHECK (own_names >= 0),                         -- deliveries' own task ids
    own_names_ms INTEGER                                -- our time of the first failure among them; NULL: none
        CHECK (own_names_ms IS NULL OR own_names > 0),
    names_tell INTEGER NOT NULL DEFAULT 0               -- 1: the log shows retries under the task ids that answers name
        CHECK (names_tell IN (0, 1)),

    -- Streaks: later times reset the evidence for a hold.
    last_accepted_ms INTEGER NOT NULL DEFAULT 0,        -- the provider last accepted a retry
    last_confirmed_ms INTEGER NOT NULL DEFAULT 0,       -- the log last showed the outcome of a retry of ours
    resumed_ms INTEGER NOT NULL DEFAULT 0,              -- an operator last ended a hold
    openings INTEGER NOT NULL DEFAULT 0,                -- holds that have ended; a log that was read before the last
                                                        -- one ended must be read again before a call

    -- A hold: no delivery of the endpoint is called, but operators' retries.
    hold_reason TEXT
        CHECK (hold_reason = 'log_silent' OR hold_reason = 'rejected' OR hold_reason = 'forbidden'
            OR hold_reason = 'redirected' OR hold_reason = 'client_refused' OR hold_reason = 'body_form'
            OR hold_reason = 'operator'),
    hold_since_ms INTEGER,
    hold_until_ms INTEGER,                              -- NULL with a reason: until a success in the log or an operator

    -- The clock by which its deliveries age; it stands still while they are held.
    held_ms INTEGER NOT NULL DEFAULT 0,                 -- how long it was held, in all holds that have ended
    stopped_ms INTEGER,                                 -- since when the clock stands still; NULL: it runs

    -- The circuit: open while the receiver fails for all deliveries. Trials, one at a time, tell when it is back.
    circuit_open_ms INTEGER,                            -- since when it is open; NULL: it is not
    circuit_next_trial_ms INTEGER,
    circuit_limit INTEGER                               -- while draining: calls that may be open at once
        CHECK (circuit_limit IS NULL OR (circuit_limit >= 1 AND circuit_open_ms IS NULL)),
    circuit_step INTEGER NOT NULL DEFAULT 0,            -- how far the delays between trials have grown
    circuit_trial_id INTEGER,                           -- the newest trial's delivery
    circuit_arrival_ms INTEGER,                         -- newest provider time of an arrival
    circuit_failure_ms INTEGER,                         -- newest provider time of a failure of the receiver
    circuit_ages INTEGER NOT NULL DEFAULT 0             -- 1: open for so long that its deliveries age again
        CHECK (circuit_ages = 0 OR (circuit_ages = 1 AND circuit_open_ms IS NOT NULL)),
    recovered_ms INTEGER,                               -- what failed until then is due since then; NULL: never open

    CHECK ((last_poll_error IS NULL) = (last_poll_error_ms IS NULL)),
    CHECK ((hold_reason IS NULL) = (hold_since_ms IS NULL)),
    CHECK (hold_until_ms IS NULL OR hold_reason IS NOT NULL),
    CHECK ((circuit_open_ms IS NULL) = (circuit_next_trial_ms IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
    -- One failed delivery in our care. Narrow and hot; its body and raw ids are in delivery_body.
    id INTEGER NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,                              -- as text; the raw JSON token is in delivery_body
    event_type TEXT NOT NULL,
    customer_id TEXT,
    webhook_id TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state = 'scheduled' OR state = 'attempting' OR state = 'awaiting' OR state = 'delivered'
            OR state = 'dead'),

    -- Its failures, as the log told them.
    logged_ms INTEGER NOT NULL,                         -- provider time of its row in the log
    first_failed_ms INTEGER NOT NULL,
    last_failed_ms INTEGER NOT NULL,
    last_error TEXT,

    -- Its attempts.
    cycle INTEGER NOT NULL DEFAULT 1 CHECK (cycle >= 1), -- a requeue begins a new one, and a task that fails anew
    cycle_started_ms INTEGER NOT NULL,                  -- the age limit counts from here
    held_before_ms INTEGER NOT NULL DEFAULT 0,          -- the part of endpoint.held_ms that was before its cycle
    attempts_used INTEGER NOT NULL DEFAULT 0 CHECK (attempts_used >= 0),
    next_attempt_ms INTEGER,                            -- by its own schedule; when it is due: delivery_standing
    is_postponed INTEGER NOT NULL DEFAULT 0             -- 1: an attempt of the provider's own has put off the next
        CHECK (is_postponed IN (0, 1)),                 -- call, which it does once before each call
    turn_ms INTEGER NOT NULL DEFAULT 0,                 -- its place in its endpoint's line: when it failed, not
                                                        -- counting trials while the circuit was open
    server_errors INTEGER NOT NULL DEFAULT 0,           -- 5xx answers to retries of this delivery, in a row
    server_errors_since_ms INTEGER,
    not_found_answers INTEGER NOT NULL DEFAULT 0,
    forbidden_since_ms INTEGER,                         -- since when its calls get a 403; NULL: they do not

    -- The call that is open.
    lease_token INTEGER NOT NULL DEFAULT 0,             -- raised by every claim; fences late outcomes; 0: never called
    lease_until_ms INTEGER,
    called_ms INTEGER,                                  -- intent of the call whose outcome is open
    confirm_by_ms INTEGER,                              -- the log has until then to show the outcome
    is_trial INTEGER NOT NULL DEFAULT 0                 -- 1: the open call is a trial of its endpoint's circuit
        CHECK (is_trial = 0 OR (is_trial = 1 AND state IN ('attempting', 'awaiting'))),

    -- An operator's retry. What its schedule was is kept, and holds again when the operator's retry comes to nothing.
    manual_ms INTEGER                                   -- when it was asked for; NULL: none is asked for or under way
        CHECK (manual_ms IS NULL OR finalized_ms IS NULL),
    kept_attempt_ms INTEGER,
    kept_dead_reason TEXT,
    manual_ignores_log INTEGER NOT NULL DEFAULT 0       -- 1: it is sent although its log may show that it has arrived
        CHECK (manual_ignores_log = 0 OR (manual_ignores_log = 1 AND manual_ms IS NOT NULL)),

    -- Its end.
    finalized_ms INTEGER,
    dead_reason TEXT
        CHECK (dead_reason = 'attempts' OR dead_reason = 'age' OR dead_reason = 'rejected' OR dead_reason = 'superseded'
            OR dead_reason = 'discarded' OR dead_reason = 'poison'),
    delivered_by TEXT CHECK (delivered_by = 'provider' OR delivered_by = 'worker' OR delivered_by = 'operator'),
    delivered_evidence TEXT CHECK (delivered_evidence IN ('log', 'answer')),
    delivered_task_id TEXT,                             -- the log entry that proves it; NULL when an answer does
    superseded_by_task_id TEXT,                         -- a newer event of its webhook, customer and type had arrived

    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    UNIQUE (task_id, endpoint_id),                      -- people have the task id in hand, and not its endpoint
    CHECK ((state = 'scheduled') = (next_attempt_ms IS NOT NULL)),
    CHECK ((state = 'attempting') = (lease_until_ms IS NOT NULL)),
    CHECK ((state IN ('attempting', 'awaiting')) = (called_ms IS NOT NULL)),
    CHECK ((state = 'awaiting') = (confirm_by_ms IS NOT NULL)),
    CHECK ((state IN ('delivered', 'dead')) = (finalized_ms IS NOT NULL)),
    CHECK ((state = 'dead') = (dead_reason IS NOT NULL)),
    CHECK ((state = 'delivered') = (delivered_by IS NOT NULL)),
    CHECK ((state = 'delivered') = (delivered_evidence IS NOT NULL)),
    CHECK (first_failed_ms <= last_failed_ms),
    CHECK ((manual_ms IS NULL) = (kept_attempt_ms IS NULL AND kept_dead_reason IS NULL))
) STRICT;

-- Which of an endpoint's deliveries is due, by its own time? With all that the due rule reads: the table is not read.
CREATE INDEX delivery_due ON delivery (endpoint_id, next_attempt_ms, id, turn_ms, manual_ms) WHERE state = 'scheduled';
-- Which stands next in an endpoint's line, for a trial or after its recovery?
CREATE INDEX delivery_line ON delivery (endpoint_id, turn_ms, id) WHERE state = 'scheduled' AND manual_ms IS NULL;
-- Which operators' retries are due? Few, beside a backlog that may be large.
CREATE INDEX delivery_manual ON delivery (endpoint_id, next_attempt_ms, id)
    WHERE state = 'scheduled' AND manual_ms IS NOT NULL;
-- Which leases have run out?
CREATE INDEX delivery_leased ON delivery (lease_until_ms) WHERE state = 'attempting';
-- For which calls has the log had its time?
CREATE INDEX delivery_awaiting ON delivery (confirm_by_ms, id) WHERE state = 'awaiting';
-- Which calls of an endpoint are open, and which of them may an entry of the log be about?
CREATE INDEX delivery_waiting ON delivery (endpoint_id, event_type, customer_id, called_ms)
    WHERE state IN ('attempting', 'awaiting');
-- What is open, of which event type, and since when? Counts read nothing else: the column of its condition is in it.
CREATE INDEX delivery_event ON delivery (endpoint_id, event_type, customer_id, first_failed_ms, finalized_ms)
    WHERE finalized_ms IS NULL;
-- What arrived lately, and what may be pruned? A question about the dead never reads the delivered.
CREATE INDEX delivery_delivered ON delivery (finalized_ms, event_type, endpoint_id, first_failed_ms, state)
    WHERE state = 'delivered';
-- What died lately, of which reason and event type, and what may be pruned?
CREATE INDEX delivery_died ON delivery (finalized_ms, dead_reason, event_type, endpoint_id, state)
    WHERE state = 'dead';
-- What is there of a customer, and what of it ended lately?
CREATE INDEX delivery_customer ON delivery (customer_id, finalized_ms) WHERE customer_id IS NOT NULL;
-- Which deliveries has a newer event overtaken?
CREATE INDEX delivery_superseded ON delivery (superseded_by_task_id) WHERE superseded_by_task_id IS NOT NULL;

CREATE TABLE delivery_body (
    -- What a retry sends, byte for byte as the log had it. People's identity data: no view reads this table.
    delivery_id INTEGER NOT NULL PRIMARY KEY REFERENCES delivery (id) ON DELETE CASCADE,
    body BLOB,                                          -- raw JSON; NULL once dropped, 7 days after the delivery
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),   -- of the body; stays
    task_id_json TEXT NOT NULL,
    customer_id_json TEXT NOT NULL,
    webhook_id_json TEXT NOT NULL
) STRICT;

CREATE TABLE attempt (
    -- One retry call: its intent, committed before the call; then the provider's answer; then what came of it.
    id INTEGER NOT NULL PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    cycle INTEGER NOT NULL,
    number INTEGER NOT NULL,                            -- attempt number within the cycle, from 1
    kind TEXT NOT NULL CHECK (kind IN ('scheduled', 'manual')),
    is_trial INTEGER NOT NULL DEFAULT 0 CHECK (is_trial IN (0, 1)), -- 1: a trial of its endpoint's circuit
    lease_token INTEGER NOT NULL,
    intent_ms INTEGER NOT NULL,
    answered_ms INTEGER,
    answer TEXT,                                        -- accepted, uncertain, …; interrupted: we died in the call
    http_status INTEGER,
    head_ms INTEGER,                                    -- newest provider time read from the log before the call
    named_task_id TEXT,                                 -- which the answer named: the log may show the retry under it
    name_seen_ms INTEGER,                               -- when a success was read under it whose body differs
    detail TEXT,                                        -- how the answer began, or why there was none
    outcome TEXT                                        -- NULL: not known yet
        CHECK (outcome = 'delivered' OR outcome = 'failed' OR outcome = 'unconfirmed' OR outcome = 'not_executed'
            OR outcome = 'refused'),
    settled_ms INTEGER,
    UNIQUE (delivery_id, lease_token),
    CHECK ((answered_ms IS NULL) = (answer IS NULL)),
    CHECK ((settled_ms IS NULL) = (outcome IS NULL))
) STRICT;

-- Which calls of the last day were given up, and may still show in the log?
CREATE INDEX attempt_unconfirmed ON attempt (settled_ms) WHERE outcome = 'unconfirmed';
-- How many deliveries in a row did the provider refuse, or forbid?
CREATE INDEX attempt_refused ON attempt (settled_ms) WHERE answer = 'rejected' OR answer = 'delivery_forbidden';
-- Which calls were made in the last day, and what came of them?
CREATE INDEX attempt_called ON attempt (intent_ms, delivery_id, outcome);

-- Whose answer named the task id of an entry?
CREATE INDEX attempt_named ON attempt (named_task_id) WHERE named_task_id IS NOT NULL;

CREATE TABLE task_alias (
    -- Further task ids under which the provider logs a delivery of ours after a retry.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('named', 'matched')), -- an answer named it, or its content matched
    PRIMARY KEY (task_id, endpoint_id)
) STRICT, WITHOUT ROWID;

-- Which further task ids has a delivery?
CREATE INDEX task_alias_delivery ON task_alias (delivery_id);

CREATE TABLE log_entry (
    -- What the provider's log said, once each: makes reading idempotent, remembers successes, tells the timeline.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    logged_ms INTEGER NOT NULL,                         -- provider time; 0: the entry has none
    outcome TEXT NOT NULL CHECK (outcome = 'succeeded' OR outcome = 'failed' OR outcome = 'in_progress'),
    delivery_id INTEGER REFERENCES delivery (id) ON DELETE CASCADE,
    http_status INTEGER,
    error TEXT,
    lease_token INTEGER,                                -- of the call in flight when it was read; NULL: none was
    found_ms INTEGER NOT NULL,                          -- our time at which we first read it
    seen_ms INTEGER NOT NULL,                           -- refreshed while the entry is still read
    is_open INTEGER NOT NULL DEFAULT 0                  -- 1: it says in_progress, and no outcome was read since
        CHECK (is_open = 0 OR (is_open = 1 AND outcome = 'in_progress')),
    is_foreign INTEGER NOT NULL DEFAULT 0               -- 1: only the log of another endpoint has shown it so far
        CHECK (is_foreign IN (0, 1)),
    body_mark INTEGER,                                  -- of a success: the first 8 bytes of its body's SHA-256
    PRIMARY KEY (endpoint_id, task_id, logged_ms, outcome)
) STRICT, WITHOUT ROWID;

-- What did the log say of a delivery?
CREATE INDEX log_entry_delivery ON log_entry (delivery_id, logged_ms) WHERE delivery_id IS NOT NULL;
-- Which entries have not come to an end yet?
CREATE INDEX log_entry_open ON log_entry (endpoint_id, logged_ms, found_ms) WHERE is_open = 1;
-- Which entries of no delivery were not read for so long that they may be pruned?
CREATE INDEX log_entry_unrelated ON log_entry (seen_ms) WHERE delivery_id IS NULL;

CREATE TABLE foreign_entry (
    -- A row that names another configured endpoint than the one whose log shows it. It is stored for its owner; here
    -- stands how far the log was read that shows it.
    owner_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id), -- whose log shows it
    logged_ms INTEGER NOT NULL,                         -- as in log_entry
    outcome TEXT NOT NULL,
    found_ms INTEGER NOT NULL,                          -- our time at which this log first showed it
    seen_ms INTEGER NOT NULL,                           -- refreshed while it still does
    PRIMARY KEY (owner_id, task_id, endpoint_id, logged_ms, outcome)
) STRICT, WITHOUT ROWID;

-- Which were not read for so long that they may be pruned?
CREATE INDEX foreign_entry_unrelated ON foreign_entry (seen_ms);

CREATE TABLE shared_failure (
    -- A failure that the log of an endpoint shows, and that a delivery of another one keeps, because no name tells
    -- whose it is. It becomes a delivery of its own where the two logs turn out not to be the same.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE, -- which keeps it
    task_id_json TEXT NOT NULL,
    webhook_id TEXT NOT NULL,
    webhook_id_json TEXT NOT NULL,
    logged_ms INTEGER NOT NULL,
    failed_ms INTEGER NOT NULL,
    error TEXT,
    is_open INTEGER NOT NULL DEFAULT 1                  -- 0: it has arrived, or ended with its keeper
        CHECK (is_open IN (0, 1)),
    PRIMARY KEY (endpoint_id, task_id)
) STRICT, WITHOUT ROWID;

-- What does a delivery keep?
CREATE INDEX shared_failure_keeper ON shared_failure (delivery_id);
-- What is still shared?
CREATE INDEX shared_failure_open ON shared_failure (endpoint_id, logged_ms) WHERE is_open = 1;

CREATE TABLE shared_log (
    -- The log of one endpoint shows rows of another one, or the same rows.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id), -- whose log it is
    other_id TEXT NOT NULL REFERENCES endpoint (id),    -- whose rows it shows
    is_named INTEGER NOT NULL CHECK (is_named IN (0, 1)), -- 1: the rows name the other one
    row_count INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,                           -- when the last new one was read
    are_same INTEGER CHECK (are_same IN (0, 1)),        -- without names: whether both are one log; NULL: nobody knows
    PRIMARY KEY (endpoint_id, other_id, is_named)
) STRICT, WITHOUT ROWID;

CREATE TABLE latest_arrival (
    -- The newest event that arrived for each webhook, customer and event type: tells what is superseded.
    webhook_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    task_id TEXT NOT NULL,
    event_ms INTEGER NOT NULL,                          -- when the event was first logged, not when it arrived
    PRIMARY KEY (webhook_id, customer_id, event_type)
) STRICT, WITHOUT ROWID;

-- Which may be pruned?
CREATE INDEX latest_arrival_age ON latest_arrival (event_ms);

CREATE TABLE scan_gap (
    -- A range of provider time that a scan has begun and not read to its end; later polls read it. Until then no
    -- delivery of the endpoint is called that failed before the end of the range: it may hold the arrival.
    id INTEGER NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    resume_url TEXT,                                    -- NULL: begin at the log's first page again
    last_url TEXT,                                      -- the page before, which was read; NULL: the log's first page
    newest_first INTEGER NOT NULL CHECK (newest_first IN (0, 1)),
    started_ms INTEGER NOT NULL,                        -- our time at which its scan began
    since_ms INTEGER NOT NULL,                          -- our time since which something of it is unread
    failures INTEGER NOT NULL DEFAULT 0,                -- how often in a row it could not be read
    retry_ms INTEGER NOT NULL DEFAULT 0,                -- it is read again from then on
    freed_ms INTEGER,                                   -- when an operator allowed calls in spite of it; NULL: not
    is_second INTEGER NOT NULL DEFAULT 0                -- 1: it was read, and is read once more, because entries may
        CHECK (is_second IN (0, 1)),                    -- have been deleted meanwhile; it keeps nothing back
    CHECK (from_ms <= to_ms)
) STRICT;

-- What of an endpoint's log is still to be read?
CREATE INDEX scan_gap_endpoint ON scan_gap (endpoint_id, from_ms);

CREATE TABLE unreadable_entry (
    -- A log entry that the decoder could not understand, so that nothing is lost. Kept once, and so many for an
    -- endpoint.
    id INTEGER NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    sha256 BLOB NOT NULL,                               -- of what stays the same when the entry is read again
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    raw BLOB NOT NULL,
    raw_length INTEGER NOT NULL,                        -- more than length(raw): it was too large and is cut off
    logged_ms INTEGER,
    seen_ms INTEGER NOT NULL,
    UNIQUE (endpoint_id, sha256)
) STRICT;

-- Which may be pruned?
CREATE INDEX unreadable_entry_age ON unreadable_entry (seen_ms);

CREATE TABLE circuit_failure (
    -- The deliveries of an endpoint that failed in a row since anything arrived; enough of them open its circuit.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    delivery_id INTEGER NOT NULL,
    failed_ms INTEGER NOT NULL,                         -- provider time of its newest failure
    PRIMARY KEY (endpoint_id, delivery_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_action (
    -- Who did what to a delivery or an endpoint, when and why.
    id INTEGER NOT NULL PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL
        CHECK (action = 'requeue' OR action = 'discard' OR action = 'retry' OR action = 'pause' OR action = 'resume'),
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    delivery_id INTEGER REFERENCES delivery (id) ON DELETE CASCADE, -- NULL: the endpoint as a whole
    reason TEXT NOT NULL
) STRICT;

-- What did operators do to a delivery?
CREATE INDEX operator_action_delivery ON operator_action (delivery_id) WHERE delivery_id IS NOT NULL;

CREATE TABLE test_event (
    -- Events that an operator made the provider send as a test: their log entries are kept and never retried.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    who TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, task_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_pause (
    -- Why the running daemon makes no call at all at the moment; empty while it may. Means nothing when none runs.
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    reason TEXT NOT NULL,                               -- throttled, unavailable, outage, credential
    since_ms INTEGER NOT NULL,
    until_ms INTEGER                                    -- NULL: until the credential works
) STRICT;

CREATE TABLE backup (
    -- When `redeliver database backup` last made a whole copy; no row: never.
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE daemon (
    -- Who works on this database: the last process that opened it with the lock. It compares the epoch in every
    -- transaction and ends when it finds another. No row: a copy, on which nobody works.
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL                                 -- random, new at each start
) STRICT;

CREATE TABLE counter (
    -- Metrics that only rise; raised in the transaction of what they count.
    name TEXT NOT NULL,
    label_1 TEXT NOT NULL DEFAULT '',
    label_2 TEXT NOT NULL DEFAULT '',
    value INTEGER NOT NULL,
    PRIMARY KEY (name, label_1, label_2)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_event_type (
    -- The event types that have a label of their own in the metrics; all others share the label `other`.
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE                    -- in the order in which they got it, from 0
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_count (
    -- How many deliveries are dead now, kept by the triggers below in the transaction of what changes it.
    event_type TEXT NOT NULL,
    dead_reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (event_type, dead_reason)
) STRICT, WITHOUT ROWID;

-- Triggers, and not the program: a person who mends rows by hand leaves no wrong count behind, except with REPLACE
-- (`redeliver database check` tells). A retry pays nothing for them: its statements do not name these columns.
CREATE TRIGGER delivery_stored_dead AFTER INSERT ON delivery WHEN NEW.dead_reason IS NOT NULL
BEGIN
    INSERT INTO dead_count (event_type, dead_reason, n) VALUES (NEW.event_type, NEW.dead_reason, 1)
    ON CONFLICT (event_type, dead_reason) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER delivery_died_or_requeued AFTER UPDATE OF dead_reason, event_type ON delivery
WHEN OLD.dead_reason IS DISTINCT FROM NEW.dead_reason OR OLD.event_type <> NEW.event_type
BEGIN
    UPDATE dead_count SET n = n - 1 WHERE event_type = OLD.event_type AND dead_reason = OLD.dead_reason;
    INSERT INTO dead_count (event_type, dead_reason, n)
    SELECT NEW.event_type, NEW.dead_reason, 1 WHERE NEW.dead_reason IS NOT NULL
    ON CONFLICT (event_type, dead_reason) DO UPDATE SET n = n + 1;
END;

CREATE TRIGGER delivery_dead_removed AFTER DELETE ON delivery WHEN OLD.dead_reason IS NOT NULL
BEGIN
    UPDATE dead_count SET n = n - 1 WHERE event_type = OLD.event_type AND dead_reason = OLD.dead_reason;
END;

-- The rules. The program and the views for people read them; unlike those, they may change with any release.

CREATE VIEW clock AS
    -- SQLite's own clock in whole seconds, for the views for people; the program's statements never read it.
    SELECT CAST(strftime('%s', 'now') AS INTEGER) AS s, CAST(strftime('%s', 'now') AS INTEGER) * 1000 AS ms;

CREATE VIEW rule AS
    -- Limits of the program that the views need as well; a test compares them with the program's.
    SELECT 10000 AS clock_tolerance_ms;                  -- two clocks may differ by this much

CREATE VIEW unread_gap AS
    -- The parts of the logs that keep deliveries from being called: those that failed before until_ms.
    SELECT
        scan_gap.*,
        scan_gap.to_ms + (SELECT clock_tolerance_ms FROM rule) AS until_ms
    FROM scan_gap WHERE scan_gap.freed_ms IS NULL AND scan_gap.is_second = 0;

CREATE VIEW same_rows AS
    -- The configured endpoints whose logs show the same rows, each two of them once.
    SELECT
        one.id AS endpoint_id, one.name AS endpoint, other.id AS other_id, other.name AS other,
        SUM(shared_log.row_count) AS row_count,
        MAX(shared_log.seen_ms) AS seen_ms
    FROM shared_log
    JOIN endpoint AS one ON one.id = min(shared_log.endpoint_id, shared_log.other_id)
    JOIN endpoint AS other ON other.id = max(shared_log.endpoint_id, shared_log.other_id)
    WHERE one.active = 1 AND other.active = 1 AND coalesce(shared_log.are_same, 1) = 1
    GROUP BY one.id, other.id;

CREATE VIEW endpoint_standing AS
    -- Decides why an endpoint's deliveries are held, and when the next of them is due. Claims, lists, metrics and the
    -- v_ views read it here. What is not read costs nothing: SQLite leaves it out.
    SELECT
        endpoint.*,
        CASE
            WHEN endpoint.active = 0 THEN 'not configured'
            WHEN endpoint.hold_reason IS NOT NULL THEN endpoint.hold_reason
            WHEN endpoint.circuit_open_ms IS NOT NULL THEN 'circuit'
        END AS held_because,                             -- NULL: it is not held
        CASE
            WHEN endpoint.active = 0 THEN NULL
            WHEN endpoint.hold_reason IS NOT NULL THEN endpoint.hold_since_ms
            ELSE endpoint.circuit_open_ms
        END AS held_since_ms,                            -- NULL: it is not held, or nobody knows since when
        CASE
            WHEN endpoint.active = 0 THEN NULL
            WHEN endpoint.hold_reason IS NOT NULL THEN endpoint.hold_until_ms
            ELSE endpoint.circuit_next_trial_ms
        END AS held_until_ms,                            -- then one delivery is tried; NULL: until something happens
        endpoint.active = 0 OR coalesce(endpoint.hold_reason = 'operator', 0)
            AS holds_manual,                             -- 1: operators' retries too; they pass all other holds
        CASE
            WHEN EXISTS (SELECT 1 FROM delivery
                         WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled'
                           AND delivery.manual_ms IS NULL AND delivery.turn_ms <= endpoint.recovered_ms)
                 AND endpoint.recovered_ms < (SELECT MIN(delivery.next_attempt_ms) FROM delivery
                                              WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled')
                THEN endpoint.recovered_ms
            ELSE (SELECT MIN(delivery.next_attempt_ms) FROM delivery
                  WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled')
        END AS next_due_ms,                              -- the least due_ms in delivery_standing, found by indexes;
                                                         -- held or not; NULL: nothing is scheduled
        (SELECT MAX(until_ms) FROM unread_gap WHERE unread_gap.endpoint_id = endpoint.id)
            AS unread_until_ms,                          -- what failed before may have arrived in a part of the log
                                                         -- that is not read; NULL: all is read
        (SELECT MIN(since_ms) FROM unread_gap WHERE unread_gap.endpoint_id = endpoint.id)
            AS unread_since_ms,
        (SELECT MAX(scan_gap.to_ms) + (SELECT clock_tolerance_ms FROM rule) FROM scan_gap
         WHERE scan_gap.endpoint_id = endpoint.id AND scan_gap.freed_ms IS NOT NULL)
            AS freed_until_ms                            -- what failed before is called although a part is unread,
                                                         -- because an operator said so; NULL: none
    FROM endpoint;

CREATE VIEW delivery_standing AS
    -- Decides when a delivery is due, what holds it and what it waits for. Lists, metrics and the v_ views read it
    -- here. Claims find what is due by the indexes of delivery; a test compares what they take with this view.
    SELECT
        standing.*,
        CASE
            WHEN standing.state = 'attempting' THEN 'a call in flight'
            WHEN standing.state = 'awaiting' AND standing.confirm_by_ms / 1000 > (SELECT s FROM clock) THEN 'the log'
            WHEN standing.state = 'awaiting' THEN 'a complete reading of the log'
            WHEN standing.state <> 'scheduled' THEN NULL
            WHEN standing.held_because = 'not configured' THEN 'its endpoint in the configuration'
            WHEN standing.held_because = 'circuit' THEN 'its endpoint to recover'
            WHEN standing.held_because IS NOT NULL THEN 'the hold ' || standing.held_because
            WHEN standing.is_behind_gap = 1 THEN 'an unread part of the log'
            WHEN standing.due_ms / 1000 > (SELECT s FROM clock) THEN 'its time'
            WHEN standing.look_wanted_ms IS NOT NULL THEN 'a look at the log'
            ELSE 'its turn'
        END AS waits_for                                 -- by SQLite's clock, for people only
    FROM (
        SELECT
            delivery.*,
            endpoint.name AS endpoint,
            delivery.state = 'scheduled' AND delivery.manual_ms IS NULL AND delivery.turn_ms <= endpoint.recovered_ms
                AS is_released,                          -- 1: it was held until its endpoint recovered; else 0 or NULL
            CASE
                WHEN delivery.manual_ms IS NULL AND delivery.turn_ms <= endpoint.recovered_ms
                     AND endpoint.recovered_ms < delivery.next_attempt_ms
                    THEN endpoint.recovered_ms
                ELSE delivery.next_attempt_ms
            END AS due_ms,                               -- an operator's retry: at its own time; NULL: not scheduled
            endpoint.held_because AS endpoint_held_because,
            CASE
                WHEN delivery.manual_ms IS NULL OR endpoint.holds_manual = 1 THEN endpoint.held_because
            END AS held_because,                         -- NULL: it is not held
            CASE
                WHEN delivery.manual_ms IS NULL OR endpoint.holds_manual = 1 THEN endpoint.held_until_ms
            END AS held_until_ms,                        -- NULL: it is not held, or until something happens
            endpoint.held_ms - delivery.held_before_ms
                AS age_held_ms,                          -- what its age does not count, of all holds that have ended
            endpoint.stopped_ms
                AS age_stopped_since_ms,                 -- since when its age does not grow; NULL: it grows
            delivery.state = 'scheduled' AND delivery.manual_ignores_log = 0
                AND delivery.last_failed_ms < endpoint.unread_until_ms
                AS is_behind_gap,                        -- 1: a part of the log that is not read may show that it has
                                                         -- arrived, and it is not called; else 0 or NULL
            endpoint.last_poll_error,
            endpoint.unread_since_ms
                AS log_unread_since_ms,                  -- since when a part of the log is unread; NULL: none is
            CASE WHEN delivery.state = 'scheduled' AND delivery.manual_ignores_log = 0 THEN endpoint.look_wanted_ms END
                AS look_wanted_ms                        -- once it is due it waits for a look at the log, which is
                                                         -- wanted since then; NULL: it does not
        FROM delivery
        JOIN endpoint_standing AS endpoint ON endpoint.id = delivery.endpoint_id
    ) AS standing;

-- The views for people: readable UTC times, ages in seconds, never a body. Published columns stay, in order and
-- meaning; new ones follow them.

CREATE VIEW v_health AS
    -- Is all well? One row for each check; what needs a look comes first.
    WITH
        silent (name, last_poll_ms) AS (
            -- 15 minutes: the interval of polls is not in the database, and few choose one so long
            SELECT name, last_poll_ms FROM endpoint
            WHERE active = 1 AND coalesce(last_poll_ms, 0) < (SELECT ms FROM clock) - 900000 ORDER BY name
        ),
        late (endpoint_id, late_s) AS (
            -- endpoints that nothing holds and whose longest due delivery was not called; a drain takes its time
            SELECT id, (SELECT s FROM clock) - next_due_ms / 1000 FROM endpoint_standing
            WHERE held_because IS NULL AND circuit_limit IS NULL AND next_due_ms <= (SELECT ms FROM clock)
        ),
        manual (id, late_s) AS (
            SELECT id, (SELECT s FROM clock) - manual_ms / 1000 FROM delivery
            WHERE state = 'scheduled' AND manual_ms IS NOT NULL
        ),
        died (reason, n) AS (
            SELECT dead_reason, COUNT(*) FROM delivery
            WHERE finalized_ms > (SELECT ms FROM clock) - 86400000 AND state = 'dead' GROUP BY dead_reason
        ),
        called (id, late_s) AS (
            -- calls whose process died, or whose outcome the log does not show, long after it should be known
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
                FROM endpoint_standing AS endpoint WHERE held_because = 'not configured'
            ) AS endpoint WHERE n > 0 ORDER BY name
        ),
        finding (position, check_name, ok, value, detail) AS (
            SELECT 1, 'logs_not_read', COUNT(*) = 0, COUNT(*),
                group_concat(name || coalesce(
                    ' since ' || strftime('%Y-%m-%dT%H:%M:%SZ', last_poll_ms / 1000, 'unixepoch'), ' never'), ', ')
            FROM silent
            UNION ALL
            SELECT 2, 'polls_failing', COUNT(*) = 0, COUNT(*), group_concat(name || ': ' || last_poll_error, '; ')
            FROM (SELECT name, last_poll_error FROM endpoint
                  WHERE active = 1 AND last_poll_error IS NOT NULL ORDER BY name) AS endpoint
            UNION ALL
            SELECT 3, 'endpoints_held', COUNT(*) = 0, COUNT(*),
                group_concat(name || ': ' || held_because || ' since '
                    || strftime('%Y-%m-%dT%H:%M:%SZ', held_since_ms / 1000, 'unixepoch'), ', ')
            FROM (SELECT name, held_because, held_since_ms FROM endpoint_standing
                  WHERE held_because NOT IN ('circuit', 'not configured') ORDER BY name) AS endpoint
            UNION ALL
            SELECT 4, 'deliveries_overdue', coalesce(MAX(late_s), 0) <= 300, coalesce(MAX(late_s), 0),
                'longest: delivery ' || (
                    SELECT id FROM delivery_standing
                    WHERE endpoint_id = (SELECT endpoint_id FROM late ORDER BY late_s DESC, endpoint_id LIMIT 1)
                      AND state = 'scheduled'
                    ORDER BY due_ms, id LIMIT 1)
            FROM late
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
            SELECT 7, 'deliveries_died_24h',
                coalesce(SUM(n) FILTER (WHERE reason NOT IN ('discarded', 'superseded')), 0) = 0,
                coalesce(SUM(n), 0), group_concat(reason || ' ' || n, ', ')
            FROM (SELECT reason, n FROM died ORDER BY reason) AS died
            UNION ALL
            SELECT 8, 'entries_unreadable', COUNT(*) = 0, coalesce(SUM(n), 0),
                group_concat(reason || ' ' || n, ', ') || coalesce(
                    (SELECT '; others are left out: ' || group_concat(name, ', ')
                     FROM (SELECT name FROM endpoint
                           WHERE left_out_ms > (SELECT ms FROM clock) - 86400000 ORDER BY name) AS endpoint), '')
            FROM (SELECT reason, COUNT(*) AS n FROM unreadable_entry GROUP BY reason ORDER BY reason) AS unreadable
            UNION ALL
            SELECT 9, 'log_unread_s', COUNT(*) = 0, coalesce(SUM(length_s), 0),
                group_concat(name || ' ' || length_s, ', ')
            FROM (SELECT endpoint.name, SUM(to_ms - from_ms) / 1000 AS length_s
                  FROM scan_gap JOIN endpoint ON endpoint.id = scan_gap.endpoint_id
                  WHERE is_second = 0 GROUP BY endpoint.id ORDER BY endpoint.name) AS gap
            UNION ALL
            SELECT 10, 'endpoints_not_configured', COUNT(*) = 0, coalesce(SUM(n), 0),
                group_concat(name || ' ' || n, ', ')
            FROM unconfigured
            UNION ALL
            SELECT 11, 'manual_retries_pending', coalesce(MAX(late_s), 0) <= 300, COUNT(*),
                'longest: delivery ' || (SELECT id FROM manual ORDER BY late_s DESC, id LIMIT 1)
            FROM manual
            UNION ALL
            SELECT 12, 'circuits_open', COUNT(*) = 0, COUNT(*),
                group_concat(name || ' since '
                    || strftime('%Y-%m-%dT%H:%M:%SZ', circuit_open_ms / 1000, 'unixepoch'), ', ')
            FROM (SELECT name, circuit_open_ms FROM endpoint
                  WHERE active = 1 AND circuit_open_ms IS NOT NULL ORDER BY name) AS endpoint
            UNION ALL
            SELECT 13, 'deliveries_behind_gap', coalesce(MIN(unread_since_ms), 9e18) > (SELECT ms FROM clock) - 900000,
                coalesce(SUM(n), 0),
                group_concat(name || ' ' || n || ' since '
                    || strftime('%Y-%m-%dT%H:%M:%SZ', unread_since_ms / 1000, 'unixepoch'), ', ')
            FROM (SELECT name, unread_since_ms, n FROM (
                      SELECT name, unread_since_ms, (
                          SELECT COUNT(*) FROM delivery_standing
                          WHERE delivery_standing.endpoint_id = endpoint.id AND delivery_standing.state = 'scheduled'
                            AND delivery_standing.is_behind_gap = 1) AS n
                      FROM endpoint_standing AS endpoint WHERE active = 1 AND unread_until_ms IS NOT NULL) AS unread
                  WHERE n > 0 ORDER BY name) AS endpoint
            UNION ALL
            SELECT 14, 'entries_in_progress_24h', COUNT(*) = 0, COUNT(*),
                'oldest: task ' || (
                    SELECT task_id FROM log_entry
                    WHERE is_open = 1 AND found_ms < (SELECT ms FROM clock) - 86400000
                    ORDER BY found_ms, task_id LIMIT 1)
            FROM log_entry WHERE is_open = 1 AND found_ms < (SELECT ms FROM clock) - 86400000
            UNION ALL
            SELECT 15, 'failures_left_out', coalesce(SUM(is_ahead), 0) = 0, coalesce(SUM(too_old), 0),
                group_concat(name || ' ' || too_old || CASE
                    WHEN is_ahead = 1 THEN ' by a clock that is ahead; they are judged again when it is right'
                    ELSE ' logged before ' || strftime('%Y-%m-%dT%H:%M:%SZ', history_from_ms / 1000, 'unixepoch')
                        || ', where its history starts'
                        || CASE WHEN too_old_from_ms IS NULL THEN ''
                                ELSE ', or more than 90 days before they were read' END
                    END, '; ')
            FROM (SELECT name, too_old, too_old_from_ms, history_from_ms,
                      -- an hour: nobody is to look at a clock that is some minutes wrong
                      history_from_ms > (SELECT ms FROM clock)
                          OR coalesce(last_poll_ms, 0) > (SELECT ms FROM clock) + 3600000 AS is_ahead
                  FROM endpoint WHERE active = 1 AND too_old > 0 ORDER BY name) AS endpoint
            UNION ALL
            SELECT 16, 'logs_alike', COUNT(*) = 0, COUNT(*),
                group_concat(endpoint || ' and ' || other || ' show the same rows: ' || row_count, ', ')
            FROM (SELECT endpoint, other, row_count FROM same_rows
                  WHERE seen_ms > (SELECT ms FROM clock) - 86400000 ORDER BY endpoint, other) AS alike
            UNION ALL
            SELECT 17, 'bodies_odd_24h', COUNT(*) = 0, COUNT(*), group_concat(name || ': ' || CASE odd_body
                WHEN 'python' THEN 'a body is a string that looks like a Python value'
                ELSE 'a body is a string that is not JSON' END, ', ')
            FROM (SELECT name, odd_body FROM endpoint
                  WHERE active = 1 AND odd_body_ms > (SELECT ms FROM clock) - 86400000 ORDER BY name) AS endpoint
            UNION ALL
            SELECT 18, 'log_times_24h', COUNT(*) = 0, COUNT(*), group_concat(
                name || ': the log''s times seem to be of the zone ' || zone_hint
                || ': set provider.log_fields.time_zone', ', ')
            FROM (SELECT name, zone_hint FROM endpoint
                  WHERE active = 1 AND zone_hint_rows >= 2 AND zone_hint_ms > (SELECT ms FROM clock) - 86400000
                  ORDER BY name) AS endpoint
        )
    SELECT
        check_name,
        ok,                                              -- 1: nothing to do
        value,                                           -- a count; deliveries_overdue and log_unread_s: seconds
        CASE WHEN value > 0 THEN detail END AS detail
    FROM finding
    ORDER BY ok, position;

CREATE VIEW v_open AS
    -- What is stuck, and why? Deliveries that are neither delivered nor dead: since when they wait, and for what.
    SELECT
        delivery.id,
        delivery.task_id,
        delivery.endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.state,
        delivery.endpoint_held_because AS held_because,  -- of the whole endpoint; NULL: it is not held
        delivery.attempts_used,                          -- of this cycle; an operator's retries do not count
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.first_failed_ms / 1000, 'unixepoch') AS first_failed_at,
        (SELECT s FROM clock) - delivery.first_failed_ms / 1000 AS age_s,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.due_ms / 1000, 'unixepoch') AS next_attempt_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.confirm_by_ms / 1000, 'unixepoch')
            AS confirm_by_at,                            -- the log has until then to show the outcome
        delivery.last_error,                             -- the newest error text of the provider's log
        delivery.waits_for,                              -- its turn: it is due and held by nothing
        delivery.webhook_id,
        delivery.cycle,                                  -- more than 1: requeued, or its task failed anew
        delivery.manual_ms IS NOT NULL AS is_manual,     -- 1: an operator's retry is asked for or under way
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.last_failed_ms / 1000, 'unixepoch') AS last_failed_at,
        delivery.superseded_by_task_id,                  -- a newer event had arrived, see v_superseded
        strftime('%Y-%m-%dT%H:%M:%SZ', CASE delivery.waits_for
            WHEN 'an unread part of the log' THEN delivery.log_unread_since_ms
            WHEN 'a look at the log' THEN delivery.look_wanted_ms END / 1000, 'unixepoch')
            AS log_wanted_at,                            -- since when it waits for its log to be read; NULL: it does
                                                         -- not
        CASE WHEN delivery.waits_for IN ('an unread part of the log', 'a look at the log')
             THEN delivery.last_poll_error END
            AS log_error                                 -- why its log is not read; NULL: it does not wait for that, or
                                                         -- the last poll succeeded
    FROM delivery_standing AS delivery
    WHERE delivery.finalized_ms IS NULL;

CREATE VIEW v_due AS
    -- What is due now or within the next hour, soonest first?
    WITH soon (id) AS (
        -- endpoint by endpoint, because the indexes of what is due begin with the endpoint
        SELECT delivery.id
        FROM endpoint CROSS JOIN delivery_standing AS delivery ON delivery.endpoint_id = endpoint.id
        WHERE delivery.state = 'scheduled' AND delivery.next_attempt_ms < (SELECT ms FROM clock) + 3600000
        UNION ALL
        -- what was held until its endpoint recovered, and by its own time would be due later
        SELECT delivery.id
        FROM endpoint CROSS JOIN delivery_standing AS delivery ON delivery.endpoint_id = endpoint.id
        WHERE delivery.is_released AND delivery.next_attempt_ms >= (SELECT ms FROM clock) + 3600000
    )
    SELECT
        delivery.id,
        delivery.task_id,
        delivery.endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.due_ms / 1000 - (SELECT s FROM clock) AS due_in_s, -- negative: overdue
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.due_ms / 1000, 'unixepoch') AS next_attempt_at,
        delivery.held_because,                           -- NULL: it is called when due; an operator's retry passes
                                                         -- every hold but an operator's
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.held_until_ms / 1000, 'unixepoch')
            AS held_until_at,                            -- then one delivery of the endpoint is tried
        delivery.attempts_used,
        delivery.manual_ms IS NOT NULL AS is_manual,     -- 1: an operator asked for this retry
        (SELECT s FROM clock) - delivery.first_failed_ms / 1000 AS age_s
    FROM soon
    JOIN delivery_standing AS delivery ON delivery.id = soon.id
    ORDER BY delivery.due_ms, delivery.id;

CREATE VIEW v_dead AS
    -- What died, and why? Deliveries that were given up; `redeliver deliveries requeue ID` brings one back.
    SELECT
        delivery.id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.dead_reason,
        delivery.attempts_used,                          -- of this cycle; an operator's retries do not count
        delivery.superseded_by_task_id,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.first_failed_ms / 1000, 'unixepoch') AS first_failed_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.finalized_ms / 1000, 'unixepoch') AS died_at,
        (SELECT s FROM clock) - delivery.finalized_ms / 1000 AS age_s, -- since it died
        delivery.last_error,                             -- the newest error text of the provider's log
        CASE delivery.dead_reason
            WHEN 'attempts' THEN 'every attempt that its policy allows has failed'
            WHEN 'age' THEN 'it is older than max_age of its policy'
            WHEN 'rejected' THEN 'the provider refuses the retry itself, or its stored body is damaged'
            WHEN 'superseded' THEN 'a newer event had arrived and its policy says skip'
            WHEN 'discarded' THEN 'an operator discarded it'
            WHEN 'poison' THEN 'the provider answers 5xx to it alone, while others pass'
        END AS meaning,
        delivery.webhook_id,
        delivery.cycle,                                  -- more than 1: requeued, or its task failed anew
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.last_failed_ms / 1000, 'unixepoch') AS last_failed_at,
        (SELECT attempt.answer || coalesce(' (HTTP ' || attempt.http_status || ')', '') FROM attempt
         WHERE attempt.delivery_id = delivery.id ORDER BY attempt.lease_token DESC LIMIT 1)
            AS last_answer                               -- the provider's answer to the last retry call
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.state = 'dead';

CREATE VIEW v_superseded AS
    -- Which deliveries has a newer event of their webhook, customer and event type overtaken? Noticed when due.
    SELECT
        delivery.id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.state,
        delivery.superseded_by_task_id,                  -- the newer event that had arrived before this one
        CASE delivery.state
            WHEN 'delivered' THEN 'arrived after the newer event: the receiver may hold old data'
            WHEN 'dead' THEN 'was not sent on (' || delivery.dead_reason || ')'
            ELSE 'will arrive after the newer event: its policy says retry'
        END AS meaning,
        delivery.webhook_id,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.first_failed_ms / 1000, 'unixepoch') AS first_failed_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.finalized_ms / 1000, 'unixepoch') AS finalized_at,
        (SELECT s FROM clock) - delivery.first_failed_ms / 1000 AS age_s
    FROM delivery INDEXED BY delivery_superseded         -- else ORDER BY id walks the table
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.superseded_by_task_id IS NOT NULL;

CREATE VIEW v_attempts AS
    -- Which retry calls were made, what was answered, what came of them? The newest: ORDER BY attempt_id DESC.
    SELECT
        attempt.id AS attempt_id,
        attempt.delivery_id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        attempt.cycle,
        attempt.number,                                  -- within the cycle, from 1
        attempt.kind,                                    -- scheduled, or manual: an operator's
        strftime('%Y-%m-%dT%H:%M:%SZ', attempt.intent_ms / 1000, 'unixepoch') AS called_at,
        (SELECT s FROM clock) - attempt.intent_ms / 1000 AS age_s,
        attempt.answer,                                  -- NULL: in flight; interrupted: we died in the call
        attempt.http_status,
        ROUND((attempt.answered_ms - attempt.intent_ms) / 1000.0, 3)
            AS answer_s,                                 -- from the intent to the answer, or to the rescue
        attempt.outcome,                                 -- NULL: not known yet; unconfirmed: the log is silent
        strftime('%Y-%m-%dT%H:%M:%SZ', attempt.settled_ms / 1000, 'unixepoch') AS settled_at,
        attempt.named_task_id,                           -- the task id under which the provider said to retry
        attempt.detail AS answer_text                    -- how the answer began, or why there was none
    FROM attempt
    JOIN delivery ON delivery.id = attempt.delivery_id
    JOIN endpoint ON endpoint.id = delivery.endpoint_id;

CREATE VIEW v_timeline AS
    -- What happened to one delivery? WHERE task_id = '…' ORDER BY at_ms; as quick: WHERE delivery_id = ….
    -- A further task id, under which the provider logged a retry, has one row; its detail names the delivery.
    SELECT
        delivery.id AS delivery_id,
        delivery.task_id,
        CASE log_entry.logged_ms WHEN 0 THEN log_entry.found_ms ELSE log_entry.logged_ms END AS at_ms,
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE log_entry.logged_ms WHEN 0 THEN log_entry.found_ms ELSE log_entry.logged_ms END / 1000, 'unixepoch')
            AS at,                                       -- log: the provider's time if it has one; else our time
        'log' AS source,                                 -- log, redeliver, retry or operator
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

CREATE VIEW v_in_progress AS
    -- Which entries of the log say that the provider is still trying, and since when? They are read again until they
    -- end.
    SELECT
        log_entry.task_id,
        endpoint.name AS endpoint,
        log_entry.delivery_id,                           -- NULL: no failure of it is known
        strftime('%Y-%m-%dT%H:%M:%SZ', log_entry.found_ms / 1000, 'unixepoch') AS found_at,
        (SELECT s FROM clock) - log_entry.found_ms / 1000 AS age_s -- more than a day: ask the provider
    FROM log_entry JOIN endpoint ON endpoint.id = log_entry.endpoint_id
    WHERE log_entry.is_open = 1;

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
            SELECT coalesce(metric_event_type.name, 'other') AS label,
                COUNT(*), SUM(arrival.took_ms), MAX(arrival.took_ms)
            FROM (
                SELECT event_type,
                    CASE WHEN finalized_ms > first_failed_ms THEN finalized_ms - first_failed_ms ELSE 0 END AS took_ms
                FROM delivery
                WHERE finalized_ms > (SELECT ms FROM clock) - 7 * 86400000 AND state = 'delivered'
            ) AS arrival
            LEFT JOIN metric_event_type ON metric_event_type.name = arrival.event_type
            GROUP BY label
        )
    SELECT
        label.name AS event_type,
        coalesce(open_now.n, 0) AS open,
        coalesce(counter.value, 0) AS delivered,         -- since the database was made, pruned ones included
        coalesce(dead_now.n, 0) AS dead,                 -- now: requeued and pruned ones are not
        ROUND(recovered.total_ms / 1000.0 / recovered.n, 1)
            AS mean_recovery_s,                          -- first failure to arrival, of the last 7 days
        (SELECT s FROM clock) - open_now.oldest_ms / 1000 AS oldest_open_age_s,
        ROUND(recovered.slowest_ms / 1000.0, 1) AS slowest_recovery_s, -- of the last 7 days
        coalesce(recovered.n, 0) AS delivered_7d         -- arrivals of the last 7 days
    FROM label
    LEFT JOIN counter
        ON counter.name = 'deliveries_finalized' AND counter.label_1 = label.name AND counter.label_2 = 'delivered'
    LEFT JOIN open_now ON open_now.label = label.name
    LEFT JOIN dead_now ON dead_now.label = label.name
    LEFT JOIN recovered ON recovered.label = label.name
    WHERE label.name <> 'other' OR coalesce(open_now.n, counter.value, dead_now.n) IS NOT NULL
    ORDER BY label.position IS NULL, label.position;

CREATE VIEW v_by_endpoint AS
    -- Which endpoint is to blame? How far its log is read, what waits, arrives and fails, and whether it is held.
    WITH
        oldest (endpoint_id, first_failed_ms) AS (
            SELECT endpoint_id, MIN(first_failed_ms) FROM delivery
            WHERE finalized_ms IS NULL GROUP BY endpoint_id
        ),
        dead_now (endpoint_id, n, n_24h) AS (
            SELECT endpoint_id, COUNT(*), COUNT(*) FILTER (WHERE finalized_ms > (SELECT ms FROM clock) - 86400000)
            FROM delivery
            WHERE state = 'dead' GROUP BY endpoint_id
        ),
        arrived (endpoint_id, n) AS (
            SELECT endpoint_id, COUNT(*) FROM delivery
            WHERE state = 'delivered' AND finalized_ms > (SELECT ms FROM clock) - 86400000
            GROUP BY endpoint_id
        ),
        called (endpoint_id, n, failed, unconfirmed, refused) AS (
            SELECT delivery.endpoint_id, COUNT(*), COUNT(*) FILTER (WHERE attempt.outcome = 'failed'),
                COUNT(*) FILTER (WHERE attempt.outcome = 'unconfirmed'),
                COUNT(*) FILTER (WHERE attempt.outcome IN ('refused', 'not_executed'))
            FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.intent_ms > (SELECT ms FROM clock) - 86400000
            GROUP BY delivery.endpoint_id
        ),
        gap (endpoint_id, from_ms, length_ms) AS (
            SELECT endpoint_id, MIN(from_ms), SUM(to_ms - from_ms)
            FROM scan_gap WHERE is_second = 0 GROUP BY endpoint_id
        )
    SELECT
        endpoint.name AS endpoint,
        endpoint.id AS endpoint_id,
        endpoint.active,                                 -- 0: no longer in the configuration; kept, not retried
        (SELECT COUNT(*) FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state = 'scheduled') AS scheduled,
        (SELECT COUNT(*) FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state IN ('attempting', 'awaiting'))
            AS in_flight,                                -- called; the answer or the log is awaited
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.last_poll_ms / 1000, 'unixepoch') AS last_poll_at,
        (SELECT s FROM clock) - endpoint.last_poll_ms / 1000 AS last_poll_age_s,
        endpoint.last_poll_error,                        -- NULL: the last poll succeeded
        CASE WHEN pause.id IS NULL THEN endpoint.held_because ELSE 'credential' END
            AS held_because,                             -- NULL: it is not held; credential: that is refused, and holds
                                                         -- all endpoints, whatever else would
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE WHEN pause.id IS NULL THEN endpoint.held_since_ms ELSE pause.since_ms END / 1000, 'unixepoch')
            AS held_since_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', CASE WHEN pause.id IS NULL THEN endpoint.held_until_ms END / 1000, 'unixepoch')
            AS held_until_at,                            -- then one delivery is tried; NULL: until a success in the
                                                         -- log, an operator, or a credential that works
        (SELECT COUNT(*) FROM delivery_standing
         WHERE delivery_standing.endpoint_id = endpoint.id AND delivery_standing.state = 'scheduled'
           AND delivery_standing.due_ms < (SELECT ms FROM clock) + 1000)
            AS due_now,                                  -- of the scheduled ones, held ones included
        (SELECT s FROM clock) - oldest.first_failed_ms / 1000 AS oldest_open_age_s,
        coalesce(dead_now.n, 0) AS dead,
        coalesce(arrived.n, 0) AS delivered_24h,         -- arrivals, by whichever attempt
        coalesce(dead_now.n_24h, 0) AS died_24h,
        coalesce(called.n, 0) AS calls_24h,              -- retry calls of the last 24 hours
        coalesce(called.failed, 0) AS failed_calls_24h,  -- the receiver failed again: its fault
        coalesce(called.unconfirmed, 0) AS unconfirmed_calls_24h, -- the log never showed what came of it
        coalesce(called.refused, 0) AS refused_calls_24h, -- not accepted: the provider's fault, or ours
        coalesce(gap.length_ms, 0) / 1000 AS scan_gap_s, -- log time that is still to be read
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE WHEN gap.from_ms < endpoint.head_ms THEN gap.from_ms ELSE endpoint.head_ms END / 1000, 'unixepoch')
            AS log_read_up_to_at,                        -- provider time; all before it is read
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.last_poll_error_ms / 1000, 'unixepoch') AS last_poll_error_at,
        endpoint.retry_shows,                            -- a retry is logged as new_entry, or in_place
        CASE
            WHEN endpoint.circuit_open_ms IS NOT NULL THEN 'open'
            WHEN endpoint.circuit_limit IS NOT NULL THEN 'draining'
            ELSE 'closed'
        END AS circuit,                                  -- open: its receiver fails for all deliveries
        strftime('%Y-%m-%dT%H:%M:%SZ',
            CASE WHEN endpoint.circuit_limit IS NULL THEN endpoint.circuit_open_ms ELSE endpoint.recovered_ms
            END / 1000, 'unixepoch') AS circuit_since_at, -- NULL: it is closed
        CASE
            WHEN endpoint.circuit_open_ms IS NOT NULL THEN
                'its receiver failed for different deliveries in a row, last '
                || strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.circuit_failure_ms / 1000, 'unixepoch')
            WHEN endpoint.circuit_limit IS NOT NULL THEN
                'it is back: at most ' || endpoint.circuit_limit || ' calls are open at once'
        END AS circuit_because,
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.circuit_next_trial_ms / 1000, 'unixepoch')
            AS next_trial_at,                            -- while one is under way: after it
        (SELECT delivery.task_id FROM delivery
         WHERE delivery.endpoint_id = endpoint.id AND delivery.state IN ('attempting', 'awaiting')
           AND delivery.is_trial = 1 LIMIT 1)
            AS trial_task_id,                            -- the trial that is under way
        CASE WHEN endpoint.held_because IS NULL AND pause.id IS NULL THEN 0
             ELSE (SELECT COUNT(*) FROM delivery_standing
                   WHERE delivery_standing.endpoint_id = endpoint.id AND delivery_standing.state = 'scheduled'
                     AND (delivery_standing.held_because IS NOT NULL OR pause.id IS NOT NULL)) END
            AS held,                                     -- deliveries that wait for the end of the hold
        CASE WHEN endpoint.unread_until_ms IS NULL THEN 0
             ELSE (SELECT COUNT(*) FROM delivery_standing
                   WHERE delivery_standing.endpoint_id = endpoint.id AND delivery_standing.state = 'scheduled'
                     AND delivery_standing.is_behind_gap = 1) END
            AS behind_gap,                               -- deliveries that wait for a part of the log to be read
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.unread_since_ms / 1000, 'unixepoch')
            AS unread_since_at,                          -- since when a part of the log is unread; NULL: none is
        CASE WHEN endpoint.look_wanted_ms IS NULL THEN 0
             ELSE (SELECT COUNT(*) FROM delivery_standing
                   WHERE delivery_standing.endpoint_id = endpoint.id AND delivery_standing.state = 'scheduled'
                     AND delivery_standing.due_ms <= (SELECT ms FROM clock)
                     AND delivery_standing.waits_for = 'a look at the log') END
            AS behind_look,                              -- due deliveries that wait for a look at the log
        strftime('%Y-%m-%dT%H:%M:%SZ', endpoint.look_wanted_ms / 1000, 'unixepoch')
            AS look_wanted_at                            -- since when one is overdue; NULL: none is
    FROM endpoint_standing AS endpoint
    LEFT JOIN oldest ON oldest.endpoint_id = endpoint.id
    LEFT JOIN dead_now ON dead_now.endpoint_id = endpoint.id
    LEFT JOIN arrived ON arrived.endpoint_id = endpoint.id
    LEFT JOIN called ON called.endpoint_id = endpoint.id
    LEFT JOIN gap ON gap.endpoint_id = endpoint.id
    LEFT JOIN provider_pause AS pause ON pause.reason = 'credential' AND endpoint.active = 1
    ORDER BY endpoint.name, endpoint.id;
