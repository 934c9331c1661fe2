-- A database of schema version 8 with rows as the program of that version writes them. Frozen: never made anew from later
-- migrations or code, or it would prove nothing. Its last moment is 2026-01-01T00:00:00Z.
BEGIN TRANSACTION;
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
    outcome TEXT CHECK (outcome = 'delivered' OR outcome = 'failed' OR outcome = 'unconfirmed' OR outcome = 'not_executed' OR outcome = 'refused'),
    settled_ms INTEGER, is_trial INTEGER NOT NULL DEFAULT 0 CHECK (is_trial IN (0, 1)),
    UNIQUE (delivery_id, lease_token),
    CHECK ((answered_ms IS NULL) = (answer IS NULL)),
    CHECK ((settled_ms IS NULL) = (outcome IS NULL))
) STRICT;
INSERT INTO attempt VALUES(1,2,1,1,'scheduled',1,1767221980000,1767221980080,'accepted',200,NULL,NULL,'failed',1767222000000,0);
INSERT INTO attempt VALUES(2,3,1,1,'scheduled',1,1767225595000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO attempt VALUES(3,4,1,1,'scheduled',1,1767225540000,1767225540080,'accepted',200,'d-4b',NULL,NULL,NULL,0);
INSERT INTO attempt VALUES(4,5,1,1,'scheduled',1,1767225550000,1767225580000,'uncertain',NULL,NULL,'the connection was reset',NULL,NULL,0);
INSERT INTO attempt VALUES(5,6,1,1,'scheduled',1,1767053040000,1767053040090,'accepted',200,NULL,NULL,'delivered',1767053100000,0);
INSERT INTO attempt VALUES(6,8,1,1,'manual',1,1766534399000,1766534400000,'accepted',200,NULL,NULL,'delivered',1766534400000,0);
INSERT INTO attempt VALUES(7,9,1,14,'scheduled',1,1767135600000,1767135600090,'accepted',200,NULL,NULL,'unconfirmed',1767139200000,0);
INSERT INTO attempt VALUES(8,14,1,3,'scheduled',3,1767052800000,1767052800090,'rejected',422,NULL,NULL,'refused',1767052800090,0);
INSERT INTO attempt VALUES(9,15,1,1,'scheduled',1,1767225460000,1767225460080,'accepted',200,NULL,NULL,'failed',1767225480000,1);
CREATE TABLE circuit_failure (
    -- The deliveries of an endpoint that failed in a row since anything arrived; so many open its circuit.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    delivery_id INTEGER NOT NULL,
    failed_ms INTEGER NOT NULL,                                       -- provider time of its newest failure
    PRIMARY KEY (endpoint_id, delivery_id)
) STRICT, WITHOUT ROWID;
INSERT INTO circuit_failure VALUES('ep-5',15,1767225480000);
INSERT INTO circuit_failure VALUES('ep-5',16,1767225480000);
CREATE TABLE counter (
    -- Metrics that only rise; raised in the transaction of what they count.
    name TEXT NOT NULL,
    label_1 TEXT NOT NULL DEFAULT '',
    label_2 TEXT NOT NULL DEFAULT '',
    value INTEGER NOT NULL,
    PRIMARY KEY (name, label_1, label_2)
) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES('deliveries_finalized','document_upload','delivered',1);
INSERT INTO counter VALUES('deliveries_finalized','profile_update','dead',3);
INSERT INTO counter VALUES('deliveries_finalized','profile_update','delivered',2);
INSERT INTO counter VALUES('retry_requests','accepted','',6);
CREATE TABLE delivery (
    -- One failed delivery in our care. Narrow and hot; its body and raw ids are in delivery_body.
    id INTEGER NOT NULL PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,                                     -- as text; the raw JSON token is in delivery_body
    event_type TEXT NOT NULL,
    customer_id TEXT,
    webhook_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state = 'scheduled' OR state = 'attempting' OR state = 'awaiting' OR state = 'delivered' OR state = 'dead'),
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
    dead_reason TEXT CHECK (dead_reason = 'attempts' OR dead_reason = 'age' OR dead_reason = 'rejected' OR dead_reason = 'superseded' OR dead_reason = 'discarded' OR dead_reason = 'poison'),
    delivered_by TEXT CHECK (delivered_by = 'provider' OR delivered_by = 'worker' OR delivered_by = 'operator'),
    delivered_evidence TEXT CHECK (delivered_evidence IN ('log', 'answer')),
    delivered_task_id TEXT,                                    -- the log entry that proves it; NULL when an answer does
    superseded_by_task_id TEXT,                                -- a newer delivery of the same webhook, customer, type arrived
    last_error TEXT,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL, manual_ms INTEGER
    CHECK (manual_ms IS NULL OR finalized_ms IS NULL), kept_attempt_ms INTEGER, kept_dead_reason TEXT
    CHECK ((manual_ms IS NULL) = (kept_attempt_ms IS NULL AND kept_dead_reason IS NULL)), held_before_ms INTEGER NOT NULL DEFAULT 0, turn_ms INTEGER NOT NULL DEFAULT 0, is_trial INTEGER NOT NULL DEFAULT 0
    CHECK (is_trial = 0 OR (is_trial = 1 AND state IN ('attempting', 'awaiting'))),
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
INSERT INTO delivery VALUES(1,'ep-1','d-1','profile_update','c-1','w-1','scheduled',1,1767225420000,0,1767225420000,1767225420000,1767225420000,1767225660000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767225421000,1767225421000,NULL,NULL,NULL,0,1767225420000,0);
INSERT INTO delivery VALUES(2,'ep-1','d-2','profile_update','c-2','w-1','scheduled',1,1767204000000,1,1767204000000,1767204000000,1767222000000,1767268800000,1,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767204001000,1767204001000,NULL,NULL,NULL,0,1767222000000,0);
INSERT INTO delivery VALUES(3,'ep-1','d-3','profile_update','c-3','w-1','attempting',1,1767225000000,0,1767225000000,1767225000000,1767225000000,NULL,1,1767225655000,1767225595000,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767225001000,1767225001000,NULL,NULL,NULL,0,1767225000000,0);
INSERT INTO delivery VALUES(4,'ep-1','d-4','profile_update','c-4','w-1','awaiting',1,1767224880000,0,1767224880000,1767224880000,1767224880000,NULL,1,NULL,1767225540000,1767226140000,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767224881000,1767224881000,NULL,NULL,NULL,0,1767224880000,0);
INSERT INTO delivery VALUES(5,'ep-1','d-5','profile_update','c-5','w-1','awaiting',1,1767224820000,0,1767224820000,1767224820000,1767224820000,NULL,1,NULL,1767225550000,1767226140000,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767224821000,1767224821000,NULL,NULL,NULL,0,1767224820000,0);
INSERT INTO delivery VALUES(6,'ep-1','d-6','document_upload','c-6','w-1','delivered',1,1767052800000,0,1767052800000,1767052800000,1767052800000,NULL,1,NULL,NULL,NULL,0,NULL,0,1767053100000,NULL,'worker','log','d-6b',NULL,'HTTP 503',1767052801000,1767052801000,NULL,NULL,NULL,0,0,0);
INSERT INTO delivery VALUES(7,'ep-1','d-7','profile_update','c-7','w-1','delivered',1,1767052800000,0,1767052800000,1767052800000,1767052800000,NULL,0,NULL,NULL,NULL,0,NULL,0,1767056400000,NULL,'provider','log','d-7',NULL,'HTTP 503',1767052801000,1767052801000,NULL,NULL,NULL,0,0,0);
INSERT INTO delivery VALUES(8,'ep-1','d-8','profile_update','c-8','w-1','delivered',1,1766448000000,0,1766448000000,1766448000000,1766448000000,NULL,1,NULL,NULL,NULL,0,NULL,0,1766534400000,NULL,'operator','answer',NULL,NULL,'HTTP 503',1766448001000,1766448001000,NULL,NULL,NULL,0,0,0);
INSERT INTO delivery VALUES(9,'ep-1','d-9','profile_update','c-9','w-1','dead',1,1766880000000,14,1766880000000,1766880000000,1766880000000,NULL,1,NULL,NULL,NULL,0,NULL,0,1767139200000,'attempts',NULL,NULL,NULL,NULL,'HTTP 503',1766880001000,1766880001000,NULL,NULL,NULL,0,0,0);
INSERT INTO delivery VALUES(10,'ep-4','d-10','profile_update','c-10','w-1','dead',1,1766793600000,0,1766793600000,1766793600000,1766793600000,NULL,0,NULL,NULL,NULL,0,NULL,0,1767052800000,'age',NULL,NULL,NULL,NULL,'HTTP 503',1766793601000,1766793601000,NULL,NULL,NULL,0,0,0);
INSERT INTO delivery VALUES(11,'ep-1','d-11','profile_update','c-11','w-1','dead',1,1767139200000,0,1767139200000,1767139200000,1767139200000,NULL,0,NULL,NULL,NULL,0,NULL,0,1767142800000,'superseded',NULL,NULL,NULL,'d-6','HTTP 503',1767139201000,1767139201000,NULL,NULL,NULL,0,0,0);
INSERT INTO delivery VALUES(12,'ep-2','d-12','profile_update','c-12','w-1','scheduled',1,1767223800000,0,1767223800000,1767223800000,1767223800000,1767224400000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767223801000,1767223801000,NULL,NULL,NULL,300000,1767223800000,0);
INSERT INTO delivery VALUES(13,'ep-3','d-13','profile_update','c-13','w-1','scheduled',1,1767223800000,0,1767223800000,1767223800000,1767223800000,1767224400000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767223801000,1767223801000,NULL,NULL,NULL,0,1767223800000,0);
INSERT INTO delivery VALUES(14,'ep-1','d-14','profile_update','c-14','w-1','scheduled',2,1767222000000,0,1766966400000,1766966400000,1766966400000,1767225690000,3,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1766966401000,1766966401000,NULL,NULL,NULL,0,1766966400000,0);
INSERT INTO delivery VALUES(15,'ep-5','d-15','profile_update','c-15','w-1','scheduled',1,1767224400000,2,1767224400000,1767224400000,1767225480000,1767247200000,1,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767224401000,1767224401000,NULL,NULL,NULL,0,1767224400000,0);
INSERT INTO delivery VALUES(16,'ep-5','d-16','profile_update','c-16','w-1','scheduled',1,1767224460000,0,1767224460000,1767224460000,1767224460000,1767247200000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767224461000,1767224461000,NULL,NULL,NULL,0,1767224460000,0);
INSERT INTO delivery VALUES(17,'ep-1','d-17','profile_update','c-17','w-1','scheduled',1,1767218400000,0,1767218400000,1767218400000,1767218400000,1767225599000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767218401000,1767218401000,1767225599000,1767236400000,NULL,0,1767218400000,0);
INSERT INTO delivery VALUES(18,'ep-1','d-18','profile_update','c-18','w-1','scheduled',1,1766966400000,0,1766966400000,1766966400000,1766966400000,1767225599000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1766966401000,1766966401000,1767225599000,NULL,'age',0,1766966400000,0);
CREATE TABLE delivery_body (
    -- What a retry sends, byte for byte as the log had it. People's identity data: apart from every view.
    delivery_id INTEGER NOT NULL PRIMARY KEY REFERENCES delivery (id) ON DELETE CASCADE,
    body BLOB,                                                 -- raw JSON; NULL once dropped, 7 d after the delivery
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    task_id_json TEXT NOT NULL,
    customer_id_json TEXT NOT NULL,
    webhook_id_json TEXT NOT NULL
) STRICT;
INSERT INTO delivery_body VALUES(1,X'7b226576656e74223a22642d31227d',X'9f6bf96428829ae377684d1678807b8258d5091ae0bcfdd9ae7b1ff314b94f6c','"d-1"','"c-1"','"w-1"');
INSERT INTO delivery_body VALUES(2,X'7b226576656e74223a22642d32227d',X'801442752ed10984a19e7650863c84d8bce1b70d139389f6f3f011852f346c01','"d-2"','"c-2"','"w-1"');
INSERT INTO delivery_body VALUES(3,X'7b226576656e74223a22642d33227d',X'a9aa5fdbf5274e21c890511508f6007097db1edca81b9eb02a5c32a1820ef336','"d-3"','"c-3"','"w-1"');
INSERT INTO delivery_body VALUES(4,X'7b226576656e74223a22642d34227d',X'd01db0cf4642bf1581b736b4555e03e4ddfd04c9b4a6b6568ed013c2e42b2d23','"d-4"','"c-4"','"w-1"');
INSERT INTO delivery_body VALUES(5,X'7b226576656e74223a22642d35227d',X'2576207b600a8959bf8604db3cc8f0c33b8b836e776b8d008d559db05107c848','"d-5"','"c-5"','"w-1"');
INSERT INTO delivery_body VALUES(6,X'7b226576656e74223a22642d36227d',X'dd09ab3820c8db8a4005954de3b01799f95951c01b33387fe515d14b92b4e32c','"d-6"','"c-6"','"w-1"');
INSERT INTO delivery_body VALUES(7,X'7b226576656e74223a22642d37227d',X'8b139564bf5fd1d4c63371c5dbc7ec81c6abdfe4fa8f61e25a9711cb5753ed6a','"d-7"','"c-7"','"w-1"');
INSERT INTO delivery_body VALUES(8,NULL,X'a28dcbc398b200f7a8770f94949518bbd49837ff60851cd9e6935457ba8a594f','"d-8"','"c-8"','"w-1"');
INSERT INTO delivery_body VALUES(9,X'7b226576656e74223a22642d39227d',X'36376dc9d9f3a17481ae9e274c8be394c9ddd3e839e41cdd33cb35aa7e2c5125','"d-9"','"c-9"','"w-1"');
INSERT INTO delivery_body VALUES(10,X'7b226576656e74223a22642d3130227d',X'6fec8f5ecca93de9f07f04a815d5e365c180ed0e8af87543bc66425de762eef6','"d-10"','"c-10"','"w-1"');
INSERT INTO delivery_body VALUES(11,X'7b226576656e74223a22642d3131227d',X'adb4ee2a89c2a87e90fc7b19318f7a3c9cb0245efbea2b050cbc758bf8c3e04f','"d-11"','"c-11"','"w-1"');
INSERT INTO delivery_body VALUES(12,X'7b226576656e74223a22642d3132227d',X'3e1da6e2abb02c1850fd6cdd1d027586af3ffa538c8f6f9975b0d47fdf842868','"d-12"','"c-12"','"w-1"');
INSERT INTO delivery_body VALUES(13,X'7b226576656e74223a22642d3133227d',X'06f1b18774f467ffec340c84d7473dbb8a96874f0d7cef52643f0ac1602c3c89','"d-13"','"c-13"','"w-1"');
INSERT INTO delivery_body VALUES(14,X'7b226576656e74223a22642d3134227d',X'9d6b60d1ed57ce502462446cc564aec82636a99e795a310a7ba0616d0639b910','"d-14"','"c-14"','"w-1"');
INSERT INTO delivery_body VALUES(15,X'7b226576656e74223a22642d3135227d',X'5652a141caca92142e1282be6022671ca8c7be79358d5ec0cf189727fe8d4096','"d-15"','"c-15"','"w-1"');
INSERT INTO delivery_body VALUES(16,X'7b226576656e74223a22642d3136227d',X'9356ce83de6c50b92fa992584baed0a01d792dcf4c59bf718e65e7111960076f','"d-16"','"c-16"','"w-1"');
INSERT INTO delivery_body VALUES(17,X'7b226576656e74223a22642d3137227d',X'ef5b0d5bb943e26b02c71bf6b5be87145b2d82c2468e8ae07f243990b5efa363','"d-17"','"c-17"','"w-1"');
INSERT INTO delivery_body VALUES(18,X'7b226576656e74223a22642d3138227d',X'c1ee21f84fa82946d6c7b7c05338d9734f5b196b6c2ecef1a5e6ab307311a506','"d-18"','"c-18"','"w-1"');
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
        CHECK (retry_shows = 'unknown' OR retry_shows = 'new_entry' OR retry_shows = 'in_place'),
    last_accepted_ms INTEGER NOT NULL DEFAULT 0,               -- the provider last took a retry on
    last_confirmed_ms INTEGER NOT NULL DEFAULT 0,              -- the log last showed the outcome of a retry of ours
    resumed_ms INTEGER NOT NULL DEFAULT 0,                     -- an operator last ended a hold; rows of bad outcomes begin anew
    hold_reason TEXT CHECK (hold_reason = 'log_silent' OR hold_reason = 'rejected' OR hold_reason = 'redirected' OR hold_reason = 'operator'),
    hold_since_ms INTEGER,
    hold_until_ms INTEGER, restored_ms INTEGER NOT NULL DEFAULT 0, held_ms INTEGER NOT NULL DEFAULT 0, stopped_ms INTEGER, circuit_open_ms INTEGER, circuit_next_trial_ms INTEGER
    CHECK ((circuit_open_ms IS NULL) = (circuit_next_trial_ms IS NULL)), circuit_limit INTEGER                 -- while draining: calls that may be open at once
    CHECK (circuit_limit IS NULL OR (circuit_limit >= 1 AND circuit_open_ms IS NULL)), circuit_step INTEGER NOT NULL DEFAULT 0, circuit_trial_id INTEGER, circuit_arrival_ms INTEGER, circuit_failure_ms INTEGER, circuit_ages INTEGER NOT NULL DEFAULT 0 -- 1: it is open for so long that its deliveries
    CHECK (circuit_ages = 0 OR (circuit_ages = 1 AND circuit_open_ms IS NOT NULL)), recovered_ms INTEGER, own_names INTEGER NOT NULL DEFAULT 0  -- outcomes of calls in a row that stood under the
    CHECK (own_names >= 0), own_names_ms INTEGER                  -- our time of the first failure among them; NULL:
    CHECK (own_names_ms IS NULL OR own_names > 0),                                     -- NULL with a reason: until a success in the log or an operator
    CHECK ((hold_reason IS NULL) = (hold_since_ms IS NULL)),
    CHECK (hold_until_ms IS NULL OR hold_reason IS NOT NULL),
    CHECK ((last_poll_error IS NULL) = (last_poll_error_ms IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO endpoint VALUES('ep-1','first',1,1764633600000,1767225540000,1767225560000,1767225570000,NULL,NULL,'new_entry',1767225540000,1767225480000,0,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,0,NULL,3,1767222000000);
INSERT INTO endpoint VALUES('ep-2','second',1,1764633600000,1767225540000,1767225560000,1767225570000,NULL,NULL,'new_entry',1767225540000,1767225480000,0,'log_silent',1767225000000,NULL,0,300000,1767225000000,NULL,NULL,NULL,0,NULL,NULL,NULL,0,NULL,0,NULL);
INSERT INTO endpoint VALUES('ep-3','third',1,1764633600000,1767225540000,1767225560000,1767225570000,NULL,NULL,'new_entry',1767225540000,1767225480000,0,'operator',1767224400000,NULL,0,0,1767224400000,NULL,NULL,NULL,0,NULL,NULL,NULL,0,NULL,0,NULL);
INSERT INTO endpoint VALUES('ep-4','fourth',0,1764633600000,1767225540000,1767225560000,1767225570000,'the provider answered 503',1767225575000,'new_entry',1767225540000,1767225480000,0,NULL,NULL,NULL,0,0,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,0,NULL,0,NULL);
INSERT INTO endpoint VALUES('ep-5','fifth',1,1764633600000,1767225540000,1767225560000,1767225570000,NULL,NULL,'new_entry',1767225540000,1767225480000,0,NULL,NULL,NULL,0,0,1767224700000,1767224700000,1767225900000,NULL,3,15,1767222000000,1767225480000,0,NULL,0,NULL);
CREATE TABLE latest_arrival (
    -- The newest delivery that arrived for each webhook, customer and event type: tells what is superseded.
    webhook_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    task_id TEXT NOT NULL,
    event_ms INTEGER NOT NULL,                                 -- when the event was first logged, not when it arrived
    PRIMARY KEY (webhook_id, customer_id, event_type)
) STRICT, WITHOUT ROWID;
INSERT INTO latest_arrival VALUES('w-1','c-6','document_upload','d-6',1767052800000);
INSERT INTO latest_arrival VALUES('w-1','c-7','profile_update','d-7',1767052800000);
INSERT INTO latest_arrival VALUES('w-1','c-8','profile_update','d-8',1766448000000);
CREATE TABLE log_entry (
    -- What the provider's log said, once each: makes reading idempotent, remembers successes, tells the timeline.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    logged_ms INTEGER NOT NULL,                                -- provider time; 0: the entry has none
    outcome TEXT NOT NULL CHECK (outcome = 'succeeded' OR outcome = 'failed' OR outcome = 'in_progress'),
    delivery_id INTEGER REFERENCES delivery (id) ON DELETE CASCADE,
    http_status INTEGER,
    error TEXT,
    lease_token INTEGER,                                       -- of the call in flight when it was read: it may be its outcome
    found_ms INTEGER NOT NULL,                                 -- our time at which we first read it
    seen_ms INTEGER NOT NULL,                                  -- refreshed while the entry is still read
    PRIMARY KEY (endpoint_id, task_id, logged_ms, outcome)
) STRICT, WITHOUT ROWID;
INSERT INTO log_entry VALUES('ep-1','d-1',1767225420000,'failed',1,503,'HTTP 503',NULL,1767225421000,1767225421000);
INSERT INTO log_entry VALUES('ep-1','d-11',1767139200000,'failed',11,503,'HTTP 503',NULL,1767139201000,1767139201000);
INSERT INTO log_entry VALUES('ep-1','d-14',1766966400000,'failed',14,503,'HTTP 503',NULL,1766966401000,1766966401000);
INSERT INTO log_entry VALUES('ep-1','d-17',1767218400000,'failed',17,503,'HTTP 503',NULL,1767218401000,1767218401000);
INSERT INTO log_entry VALUES('ep-1','d-18',1766966400000,'failed',18,503,'HTTP 503',NULL,1766966401000,1766966401000);
INSERT INTO log_entry VALUES('ep-1','d-2',1767204000000,'failed',2,503,'HTTP 503',NULL,1767204001000,1767204001000);
INSERT INTO log_entry VALUES('ep-1','d-3',1767225000000,'failed',3,503,'HTTP 503',NULL,1767225001000,1767225001000);
INSERT INTO log_entry VALUES('ep-1','d-4',1767224880000,'failed',4,503,'HTTP 503',NULL,1767224881000,1767224881000);
INSERT INTO log_entry VALUES('ep-1','d-5',1767224820000,'failed',5,503,'HTTP 503',NULL,1767224821000,1767224821000);
INSERT INTO log_entry VALUES('ep-1','d-5',1767225560000,'in_progress',5,NULL,NULL,1,1767225570000,1767225570000);
INSERT INTO log_entry VALUES('ep-1','d-6',1767052800000,'failed',6,503,'HTTP 503',NULL,1767052801000,1767052801000);
INSERT INTO log_entry VALUES('ep-1','d-6b',1767053040200,'succeeded',6,200,NULL,1,1767053100000,1767053100000);
INSERT INTO log_entry VALUES('ep-1','d-7',1767052800000,'failed',7,503,'HTTP 503',NULL,1767052801000,1767052801000);
INSERT INTO log_entry VALUES('ep-1','d-7',1767056400000,'succeeded',7,200,NULL,NULL,1767056400000,1767056400000);
INSERT INTO log_entry VALUES('ep-1','d-8',1766448000000,'failed',8,503,'HTTP 503',NULL,1766448001000,1766448001000);
INSERT INTO log_entry VALUES('ep-1','d-9',1766880000000,'failed',9,503,'HTTP 503',NULL,1766880001000,1766880001000);
INSERT INTO log_entry VALUES('ep-1','other',1767222000000,'succeeded',NULL,200,NULL,NULL,1767222000000,1767225540000);
INSERT INTO log_entry VALUES('ep-2','d-12',1767223800000,'failed',12,503,'HTTP 503',NULL,1767223801000,1767223801000);
INSERT INTO log_entry VALUES('ep-3','d-13',1767223800000,'failed',13,503,'HTTP 503',NULL,1767223801000,1767223801000);
INSERT INTO log_entry VALUES('ep-4','d-10',1766793600000,'failed',10,503,'HTTP 503',NULL,1766793601000,1766793601000);
INSERT INTO log_entry VALUES('ep-5','d-15',1767224400000,'failed',15,503,'HTTP 503',NULL,1767224401000,1767224401000);
INSERT INTO log_entry VALUES('ep-5','d-16',1767224460000,'failed',16,503,'HTTP 503',NULL,1767224461000,1767224461000);
CREATE TABLE metric_event_type (
    -- The event types that have a label of their own in the metrics file; all further ones are `other`.
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
INSERT INTO metric_event_type VALUES('document_upload',1);
INSERT INTO metric_event_type VALUES('profile_update',0);
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
INSERT INTO operator_action VALUES(1,1767222000000,'ann','requeue','ep-1',14,'the receiver is mended');
INSERT INTO operator_action VALUES(2,1767224400000,'ben','pause','ep-3',NULL,'their night');
INSERT INTO operator_action VALUES(17,1767225599000,'ann','retry','ep-1',17,'asked by the customer');
INSERT INTO operator_action VALUES(18,1767225599000,'ann','retry','ep-1',18,'asked by the customer');
CREATE TABLE provider_pause (
    -- Why the running daemon makes no call at all at the moment; empty while it may. Of no meaning when none runs.
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    reason TEXT NOT NULL,                                      -- throttled, unavailable, outage, credential
    since_ms INTEGER NOT NULL,
    until_ms INTEGER                                           -- NULL: until the credential works
) STRICT;
INSERT INTO provider_pause VALUES(1,'throttled',1767225595000,1767225625000);
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
INSERT INTO scan_gap VALUES(1,'ep-4',1767218400000,1767222000000,'https://provider.example/logs?page=3',1,1767222000000);
CREATE TABLE schema_migration (
    version INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    applied_ms INTEGER NOT NULL
) STRICT;
INSERT INTO schema_migration VALUES(1,'0001_initial',X'e024260af0cd50e57a0be27fded808bc5a164ee6f5d1d22723f8b4ee327084b1',1764633600000);
INSERT INTO schema_migration VALUES(2,'0002_operators',X'9f85c73bd3fd716f24bbd5647a7fd0cb323be591ef59ab9b4a758b98b8255dbb',1764633600000);
INSERT INTO schema_migration VALUES(3,'0003_views',X'eaa5c0576836a108a60490b8a3c6328142a5f5e91d6aaa687501812a9a3026e9',1764633600000);
INSERT INTO schema_migration VALUES(4,'0004_endpoint_view',X'df9bf4e9dfca3361dd7f0516ffe6e6b32e6529acd2dc3c9ec8c3bd4cabf1863f',1764633600000);
INSERT INTO schema_migration VALUES(5,'0005_age_clock',X'4689bb873eef8d82f7d7e0ce937387b7e0b4772e440dacc96bd957e24452e2c2',1764633600000);
INSERT INTO schema_migration VALUES(6,'0006_circuit',X'e31c684bafb9f0da03d2245ca7d1d466a4f3c42ac55318eb183f5cbdeb53b23d',1764633600000);
INSERT INTO schema_migration VALUES(7,'0007_own_names',X'0eb31522f25da8485e256e6b51f6dedf5fcced2b9c6609d32c3c3e70e08e9543',1767225600000);
INSERT INTO schema_migration VALUES(8,'0008_fast_checks',X'5cfc495d81cd790fd8042943ff98288010acbef1534331837b446752b1d3bb30',1767225600000);
CREATE TABLE task_alias (
    -- Further task ids under which the provider logs a delivery of ours after a retry.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('named', 'matched')),
    PRIMARY KEY (endpoint_id, task_id)
) STRICT, WITHOUT ROWID;
INSERT INTO task_alias VALUES('ep-1','d-4b',4,'named');
INSERT INTO task_alias VALUES('ep-1','d-6b',6,'matched');
CREATE TABLE test_event (
    -- Events that an operator made the provider send as a test: their log entries are kept and never retried.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    who TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    PRIMARY KEY (endpoint_id, task_id)
) STRICT, WITHOUT ROWID;
INSERT INTO test_event VALUES('ep-1','test-1','profile_update','ann',1767222000000);
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
INSERT INTO unreadable_entry VALUES(1,'ep-1',X'd78dcca02054f6241edc6d24a26c56c6897b90e261a855db54cbe9101fce61be','no_task_id','none of task_id, id',X'7b227768656e223a22796573746572646179227d',20,NULL,1767222000000);
CREATE INDEX delivery_leased ON delivery (lease_until_ms) WHERE state = 'attempting';
CREATE INDEX delivery_awaiting ON delivery (confirm_by_ms, id) WHERE state = 'awaiting';
CREATE INDEX delivery_waiting ON delivery (endpoint_id, event_type, customer_id, called_ms)
    WHERE state IN ('attempting', 'awaiting');
CREATE INDEX delivery_live ON delivery (event_type, state, first_failed_ms)
    WHERE finalized_ms IS NULL;
CREATE INDEX delivery_dead ON delivery (event_type, dead_reason) WHERE state = 'dead';
CREATE INDEX attempt_open ON attempt (intent_ms) WHERE answered_ms IS NULL;
CREATE INDEX attempt_unconfirmed ON attempt (settled_ms) WHERE outcome = 'unconfirmed';
CREATE INDEX attempt_refused ON attempt (settled_ms) WHERE outcome = 'refused';
CREATE INDEX task_alias_delivery ON task_alias (delivery_id);
CREATE INDEX log_entry_delivery ON log_entry (delivery_id, logged_ms) WHERE delivery_id IS NOT NULL;
CREATE INDEX log_entry_unrelated ON log_entry (seen_ms) WHERE delivery_id IS NULL;
CREATE INDEX latest_arrival_age ON latest_arrival (event_ms);
CREATE INDEX unreadable_entry_age ON unreadable_entry (seen_ms);
CREATE INDEX scan_gap_endpoint ON scan_gap (endpoint_id, from_ms);
CREATE INDEX operator_action_delivery ON operator_action (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX delivery_manual ON delivery (endpoint_id, next_attempt_ms, id)
    WHERE state = 'scheduled' AND manual_ms IS NOT NULL;
CREATE INDEX delivery_delivered ON delivery (finalized_ms, event_type, endpoint_id, first_failed_ms, state)
    WHERE state = 'delivered';
CREATE INDEX delivery_died ON delivery (finalized_ms, dead_reason, endpoint_id, state) WHERE state = 'dead';
CREATE INDEX delivery_superseded ON delivery (superseded_by_task_id) WHERE superseded_by_task_id IS NOT NULL;
CREATE INDEX delivery_task ON delivery (task_id);
CREATE INDEX task_alias_task ON task_alias (task_id);
CREATE VIEW v_dead AS
    -- What died, and why? Deliveries that were given up; `redeliver deliveries requeue ID` brings one back.
    SELECT
        delivery.id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.dead_reason,
        delivery.attempts_used,                                -- of this cycle; an operator's retries do not count
        delivery.superseded_by_task_id,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.first_failed_ms / 1000, 'unixepoch') AS first_failed_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.finalized_ms / 1000, 'unixepoch') AS died_at,
        CAST(strftime('%s', 'now') AS INTEGER) - delivery.finalized_ms / 1000 AS age_s, -- since it died
        delivery.last_error,                                   -- the newest error text of the provider's log
        CASE delivery.dead_reason
            WHEN 'attempts' THEN 'every attempt that its policy allows has failed'
            WHEN 'age' THEN 'it is older than max_age of its policy'
            WHEN 'rejected' THEN 'the provider refuses the retry itself, or its stored body is damaged'
            WHEN 'superseded' THEN 'a newer event had arrived and its policy says skip'
            WHEN 'discarded' THEN 'an operator discarded it'
            WHEN 'poison' THEN 'the provider answers 5xx to it alone, while others pass'
        END AS meaning,
        delivery.webhook_id,
        delivery.cycle,                                        -- more than 1: operators requeued it
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.last_failed_ms / 1000, 'unixepoch') AS last_failed_at,
        (SELECT attempt.answer || coalesce(' (HTTP ' || attempt.http_status || ')', '') FROM attempt
         WHERE attempt.delivery_id = delivery.id ORDER BY attempt.lease_token DESC LIMIT 1)
            AS last_answer                                     -- the provider's answer to the last retry call
    FROM delivery
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.state = 'dead'
;
CREATE VIEW v_attempts AS
    -- Which retry calls were made, what was answered, what came of them? The newest: ORDER BY attempt_id DESC.
    SELECT
        attempt.id AS attempt_id,
        attempt.delivery_id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        attempt.cycle,
        attempt.number,                                        -- within the cycle, from 1
        attempt.kind,                                          -- scheduled, or manual: an operator's
        strftime('%Y-%m-%dT%H:%M:%SZ', attempt.intent_ms / 1000, 'unixepoch') AS called_at,
        CAST(strftime('%s', 'now') AS INTEGER) - attempt.intent_ms / 1000 AS age_s,
        attempt.answer,                                        -- NULL: in flight; interrupted: we died in the call
        attempt.http_status,
        ROUND((attempt.answered_ms - attempt.intent_ms) / 1000.0, 3)
            AS answer_s,                                       -- from the intent to the answer, or to the rescue
        attempt.outcome,                                       -- NULL: not known yet; unconfirmed: the log is silent
        strftime('%Y-%m-%dT%H:%M:%SZ', attempt.settled_ms / 1000, 'unixepoch') AS settled_at,
        attempt.named_task_id,                                 -- the task id under which the provider said to retry
        attempt.detail AS answer_text                          -- how the answer began, or why there was none
    FROM attempt
    JOIN delivery ON delivery.id = attempt.delivery_id
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
;
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
                SELECT event_type, COUNT(*) AS n, MIN(first_failed_ms) AS oldest_ms FROM delivery
                WHERE finalized_ms IS NULL GROUP BY event_type
            ) AS type
            LEFT JOIN metric_event_type ON metric_event_type.name = type.event_type
            GROUP BY label
        ),
        dead_now (label, n) AS (
            SELECT coalesce(metric_event_type.name, 'other') AS label, SUM(type.n)
            FROM (SELECT event_type, COUNT(*) AS n FROM delivery WHERE state = 'dead' GROUP BY event_type) AS type
            LEFT JOIN metric_event_type ON metric_event_type.name = type.event_type
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
    ORDER BY label.position IS NULL, label.position
;
CREATE VIEW v_superseded AS
    -- Which deliveries has a newer event of their webhook, customer and event type overtaken? Noticed when due.
    SELECT
        delivery.id,
        delivery.task_id,
        endpoint.name AS endpoint,
        delivery.event_type,
        delivery.customer_id,
        delivery.state,
        delivery.superseded_by_task_id,                        -- the newer event that had arrived before this one
        CASE delivery.state
            WHEN 'delivered' THEN 'arrived after the newer event: the receiver may hold old data'
            WHEN 'dead' THEN 'was not sent on (' || delivery.dead_reason || ')'
            ELSE 'will arrive after the newer event: its policy says retry'
        END AS meaning,
        delivery.webhook_id,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.first_failed_ms / 1000, 'unixepoch') AS first_failed_at,
        strftime('%Y-%m-%dT%H:%M:%SZ', delivery.finalized_ms / 1000, 'unixepoch') AS finalized_at,
        CAST(strftime('%s', 'now') AS INTEGER) - delivery.first_failed_ms / 1000 AS age_s
    FROM delivery INDEXED BY delivery_superseded
    JOIN endpoint ON endpoint.id = delivery.endpoint_id
    WHERE delivery.superseded_by_task_id IS NOT NULL
;
CREATE INDEX delivery_event ON delivery (endpoint_id, event_type, customer_id, first_failed_ms)
    WHERE finalized_ms IS NULL;
CREATE INDEX attempt_called ON attempt (intent_ms, delivery_id, outcome);
CREATE INDEX delivery_line ON delivery (endpoint_id, turn_ms, id) WHERE state = 'scheduled' AND manual_ms IS NULL;
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
    WHERE delivery.finalized_ms IS NULL
;
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
    ORDER BY due.due_ms, delivery.id
;
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
    WHERE delivery.finalized_ms IS NOT NULL
;
CREATE VIEW v_by_endpoint AS
    -- Which endpoint is to blame? How far its log is read, what waits, arrives and fails, and whether it is held.
    WITH
        oldest (endpoint_id, first_failed_ms) AS (
            SELECT endpoint_id, MIN(first_failed_ms) FROM delivery INDEXED BY delivery_event
            WHERE finalized_ms IS NULL GROUP BY endpoint_id
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
    ORDER BY endpoint.name, endpoint.id
;
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
    ORDER BY ok, position
;
CREATE INDEX delivery_due ON delivery (endpoint_id, next_attempt_ms, id, turn_ms, manual_ms) WHERE state = 'scheduled';
CREATE INDEX delivery_customer ON delivery (customer_id, finalized_ms) WHERE customer_id IS NOT NULL;
COMMIT;
PRAGMA application_id = 1919183990;
PRAGMA user_version = 8;
