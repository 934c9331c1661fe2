-- A database of schema version 1 with rows as the program of that version writes them. Frozen: never made anew from later
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
    outcome TEXT CHECK (outcome IN ('delivered', 'failed', 'unconfirmed', 'not_executed', 'refused')),
    settled_ms INTEGER,
    UNIQUE (delivery_id, lease_token),
    CHECK ((answered_ms IS NULL) = (answer IS NULL)),
    CHECK ((settled_ms IS NULL) = (outcome IS NULL))
) STRICT;
INSERT INTO "attempt" VALUES(1,2,1,1,'scheduled',1,1767221980000,1767221980080,'accepted',200,NULL,NULL,'failed',1767222000000);
INSERT INTO "attempt" VALUES(2,3,1,1,'scheduled',1,1767225595000,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(3,4,1,1,'scheduled',1,1767225540000,1767225540080,'accepted',200,'d-4b',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(4,5,1,1,'scheduled',1,1767225550000,1767225580000,'uncertain',NULL,NULL,'the connection was reset',NULL,NULL);
INSERT INTO "attempt" VALUES(5,6,1,1,'scheduled',1,1767053040000,1767053040090,'accepted',200,NULL,NULL,'delivered',1767053100000);
INSERT INTO "attempt" VALUES(6,8,1,1,'manual',1,1766534399000,1766534400000,'accepted',200,NULL,NULL,'delivered',1766534400000);
INSERT INTO "attempt" VALUES(7,9,1,14,'scheduled',1,1767135600000,1767135600090,'accepted',200,NULL,NULL,'unconfirmed',1767139200000);
INSERT INTO "attempt" VALUES(8,14,1,3,'scheduled',3,1767052800000,1767052800090,'rejected',422,NULL,NULL,'refused',1767052800090);
INSERT INTO "attempt" VALUES(9,15,1,1,'scheduled',1,1767225460000,1767225460080,'accepted',200,NULL,NULL,'failed',1767225480000);
CREATE TABLE counter (
    -- Metrics that only rise; raised in the transaction of what they count.
    name TEXT NOT NULL,
    label_1 TEXT NOT NULL DEFAULT '',
    label_2 TEXT NOT NULL DEFAULT '',
    value INTEGER NOT NULL,
    PRIMARY KEY (name, label_1, label_2)
) STRICT, WITHOUT ROWID;
INSERT INTO "counter" VALUES('deliveries_finalized','document_upload','delivered',1);
INSERT INTO "counter" VALUES('deliveries_finalized','profile_update','dead',3);
INSERT INTO "counter" VALUES('deliveries_finalized','profile_update','delivered',2);
INSERT INTO "counter" VALUES('retry_requests','accepted','',6);
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
INSERT INTO "delivery" VALUES(1,'ep-1','d-1','profile_update','c-1','w-1','scheduled',1,1767225420000,0,1767225420000,1767225420000,1767225420000,1767225660000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767225421000,1767225421000);
INSERT INTO "delivery" VALUES(2,'ep-1','d-2','profile_update','c-2','w-1','scheduled',1,1767204000000,1,1767204000000,1767204000000,1767222000000,1767268800000,1,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767204001000,1767204001000);
INSERT INTO "delivery" VALUES(3,'ep-1','d-3','profile_update','c-3','w-1','attempting',1,1767225000000,0,1767225000000,1767225000000,1767225000000,NULL,1,1767225655000,1767225595000,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767225001000,1767225001000);
INSERT INTO "delivery" VALUES(4,'ep-1','d-4','profile_update','c-4','w-1','awaiting',1,1767224880000,0,1767224880000,1767224880000,1767224880000,NULL,1,NULL,1767225540000,1767226140000,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767224881000,1767224881000);
INSERT INTO "delivery" VALUES(5,'ep-1','d-5','profile_update','c-5','w-1','awaiting',1,1767224820000,0,1767224820000,1767224820000,1767224820000,NULL,1,NULL,1767225550000,1767226140000,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767224821000,1767224821000);
INSERT INTO "delivery" VALUES(6,'ep-1','d-6','document_upload','c-6','w-1','delivered',1,1767052800000,0,1767052800000,1767052800000,1767052800000,NULL,1,NULL,NULL,NULL,0,NULL,0,1767053100000,NULL,'worker','log','d-6b',NULL,'HTTP 503',1767052801000,1767052801000);
INSERT INTO "delivery" VALUES(7,'ep-1','d-7','profile_update','c-7','w-1','delivered',1,1767052800000,0,1767052800000,1767052800000,1767052800000,NULL,0,NULL,NULL,NULL,0,NULL,0,1767056400000,NULL,'provider','log','d-7',NULL,'HTTP 503',1767052801000,1767052801000);
INSERT INTO "delivery" VALUES(8,'ep-1','d-8','profile_update','c-8','w-1','delivered',1,1766448000000,0,1766448000000,1766448000000,1766448000000,NULL,1,NULL,NULL,NULL,0,NULL,0,1766534400000,NULL,'operator','answer',NULL,NULL,'HTTP 503',1766448001000,1766448001000);
INSERT INTO "delivery" VALUES(9,'ep-1','d-9','profile_update','c-9','w-1','dead',1,1766880000000,14,1766880000000,1766880000000,1766880000000,NULL,1,NULL,NULL,NULL,0,NULL,0,1767139200000,'attempts',NULL,NULL,NULL,NULL,'HTTP 503',1766880001000,1766880001000);
INSERT INTO "delivery" VALUES(10,'ep-4','d-10','profile_update','c-10','w-1','dead',1,1766793600000,0,1766793600000,1766793600000,1766793600000,NULL,0,NULL,NULL,NULL,0,NULL,0,1767052800000,'age',NULL,NULL,NULL,NULL,'HTTP 503',1766793601000,1766793601000);
INSERT INTO "delivery" VALUES(11,'ep-1','d-11','profile_update','c-11','w-1','dead',1,1767139200000,0,1767139200000,1767139200000,1767139200000,NULL,0,NULL,NULL,NULL,0,NULL,0,1767142800000,'superseded',NULL,NULL,NULL,'d-6','HTTP 503',1767139201000,1767139201000);
INSERT INTO "delivery" VALUES(12,'ep-2','d-12','profile_update','c-12','w-1','scheduled',1,1767223800000,0,1767223800000,1767223800000,1767223800000,1767224400000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767223801000,1767223801000);
INSERT INTO "delivery" VALUES(13,'ep-3','d-13','profile_update','c-13','w-1','scheduled',1,1767223800000,0,1767223800000,1767223800000,1767223800000,1767224400000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767223801000,1767223801000);
INSERT INTO "delivery" VALUES(14,'ep-1','d-14','profile_update','c-14','w-1','scheduled',2,1767222000000,0,1766966400000,1766966400000,1766966400000,1767225690000,3,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1766966401000,1766966401000);
INSERT INTO "delivery" VALUES(15,'ep-5','d-15','profile_update','c-15','w-1','scheduled',1,1767224400000,2,1767224400000,1767224400000,1767225480000,1767247200000,1,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767224401000,1767224401000);
INSERT INTO "delivery" VALUES(16,'ep-5','d-16','profile_update','c-16','w-1','scheduled',1,1767224460000,0,1767224460000,1767224460000,1767224460000,1767247200000,0,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'HTTP 503',1767224461000,1767224461000);
CREATE TABLE delivery_body (
    -- What a retry sends, byte for byte as the log had it. People's identity data: apart from every view.
    delivery_id INTEGER NOT NULL PRIMARY KEY REFERENCES delivery (id) ON DELETE CASCADE,
    body BLOB,                                                 -- raw JSON; NULL once dropped, 7 d after the delivery
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    task_id_json TEXT NOT NULL,
    customer_id_json TEXT NOT NULL,
    webhook_id_json TEXT NOT NULL
) STRICT;
INSERT INTO "delivery_body" VALUES(1,X'7B226576656E74223A22642D31227D',X'9F6BF96428829AE377684D1678807B8258D5091AE0BCFDD9AE7B1FF314B94F6C','"d-1"','"c-1"','"w-1"');
INSERT INTO "delivery_body" VALUES(2,X'7B226576656E74223A22642D32227D',X'801442752ED10984A19E7650863C84D8BCE1B70D139389F6F3F011852F346C01','"d-2"','"c-2"','"w-1"');
INSERT INTO "delivery_body" VALUES(3,X'7B226576656E74223A22642D33227D',X'A9AA5FDBF5274E21C890511508F6007097DB1EDCA81B9EB02A5C32A1820EF336','"d-3"','"c-3"','"w-1"');
INSERT INTO "delivery_body" VALUES(4,X'7B226576656E74223A22642D34227D',X'D01DB0CF4642BF1581B736B4555E03E4DDFD04C9B4A6B6568ED013C2E42B2D23','"d-4"','"c-4"','"w-1"');
INSERT INTO "delivery_body" VALUES(5,X'7B226576656E74223A22642D35227D',X'2576207B600A8959BF8604DB3CC8F0C33B8B836E776B8D008D559DB05107C848','"d-5"','"c-5"','"w-1"');
INSERT INTO "delivery_body" VALUES(6,X'7B226576656E74223A22642D36227D',X'DD09AB3820C8DB8A4005954DE3B01799F95951C01B33387FE515D14B92B4E32C','"d-6"','"c-6"','"w-1"');
INSERT INTO "delivery_body" VALUES(7,X'7B226576656E74223A22642D37227D',X'8B139564BF5FD1D4C63371C5DBC7EC81C6ABDFE4FA8F61E25A9711CB5753ED6A','"d-7"','"c-7"','"w-1"');
INSERT INTO "delivery_body" VALUES(8,NULL,X'A28DCBC398B200F7A8770F94949518BBD49837FF60851CD9E6935457BA8A594F','"d-8"','"c-8"','"w-1"');
INSERT INTO "delivery_body" VALUES(9,X'7B226576656E74223A22642D39227D',X'36376DC9D9F3A17481AE9E274C8BE394C9DDD3E839E41CDD33CB35AA7E2C5125','"d-9"','"c-9"','"w-1"');
INSERT INTO "delivery_body" VALUES(10,X'7B226576656E74223A22642D3130227D',X'6FEC8F5ECCA93DE9F07F04A815D5E365C180ED0E8AF87543BC66425DE762EEF6','"d-10"','"c-10"','"w-1"');
INSERT INTO "delivery_body" VALUES(11,X'7B226576656E74223A22642D3131227D',X'ADB4EE2A89C2A87E90FC7B19318F7A3C9CB0245EFBEA2B050CBC758BF8C3E04F','"d-11"','"c-11"','"w-1"');
INSERT INTO "delivery_body" VALUES(12,X'7B226576656E74223A22642D3132227D',X'3E1DA6E2ABB02C1850FD6CDD1D027586AF3FFA538C8F6F9975B0D47FDF842868','"d-12"','"c-12"','"w-1"');
INSERT INTO "delivery_body" VALUES(13,X'7B226576656E74223A22642D3133227D',X'06F1B18774F467FFEC340C84D7473DBB8A96874F0D7CEF52643F0AC1602C3C89','"d-13"','"c-13"','"w-1"');
INSERT INTO "delivery_body" VALUES(14,X'7B226576656E74223A22642D3134227D',X'9D6B60D1ED57CE502462446CC564AEC82636A99E795A310A7BA0616D0639B910','"d-14"','"c-14"','"w-1"');
INSERT INTO "delivery_body" VALUES(15,X'7B226576656E74223A22642D3135227D',X'5652A141CACA92142E1282BE6022671CA8C7BE79358D5EC0CF189727FE8D4096','"d-15"','"c-15"','"w-1"');
INSERT INTO "delivery_body" VALUES(16,X'7B226576656E74223A22642D3136227D',X'9356CE83DE6C50B92FA992584BAED0A01D792DCF4C59BF718E65E7111960076F','"d-16"','"c-16"','"w-1"');
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
INSERT INTO "endpoint" VALUES('ep-1','first',1,1764633600000,1767225540000,1767225560000,1767225570000,NULL,NULL,'new_entry',1767225540000,1767225480000,0,NULL,NULL,NULL);
INSERT INTO "endpoint" VALUES('ep-2','second',1,1764633600000,1767225540000,1767225560000,1767225570000,NULL,NULL,'new_entry',1767225540000,1767225480000,0,'log_silent',1767225000000,NULL);
INSERT INTO "endpoint" VALUES('ep-3','third',1,1764633600000,1767225540000,1767225560000,1767225570000,NULL,NULL,'new_entry',1767225540000,1767225480000,0,'operator',1767224400000,NULL);
INSERT INTO "endpoint" VALUES('ep-4','fourth',0,1764633600000,1767225540000,1767225560000,1767225570000,'the provider answered 503',1767225575000,'new_entry',1767225540000,1767225480000,0,NULL,NULL,NULL);
INSERT INTO "endpoint" VALUES('ep-5','fifth',1,1764633600000,1767225540000,1767225560000,1767225570000,NULL,NULL,'new_entry',1767225540000,1767225480000,0,NULL,NULL,NULL);
CREATE TABLE latest_arrival (
    -- The newest delivery that arrived for each webhook, customer and event type: tells what is superseded.
    webhook_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    task_id TEXT NOT NULL,
    event_ms INTEGER NOT NULL,                                 -- when the event was first logged, not when it arrived
    PRIMARY KEY (webhook_id, customer_id, event_type)
) STRICT, WITHOUT ROWID;
INSERT INTO "latest_arrival" VALUES('w-1','c-6','document_upload','d-6',1767052800000);
INSERT INTO "latest_arrival" VALUES('w-1','c-7','profile_update','d-7',1767052800000);
INSERT INTO "latest_arrival" VALUES('w-1','c-8','profile_update','d-8',1766448000000);
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
INSERT INTO "log_entry" VALUES('ep-1','d-1',1767225420000,'failed',1,503,'HTTP 503',NULL,1767225421000,1767225421000);
INSERT INTO "log_entry" VALUES('ep-1','d-11',1767139200000,'failed',11,503,'HTTP 503',NULL,1767139201000,1767139201000);
INSERT INTO "log_entry" VALUES('ep-1','d-14',1766966400000,'failed',14,503,'HTTP 503',NULL,1766966401000,1766966401000);
INSERT INTO "log_entry" VALUES('ep-1','d-2',1767204000000,'failed',2,503,'HTTP 503',NULL,1767204001000,1767204001000);
INSERT INTO "log_entry" VALUES('ep-1','d-3',1767225000000,'failed',3,503,'HTTP 503',NULL,1767225001000,1767225001000);
INSERT INTO "log_entry" VALUES('ep-1','d-4',1767224880000,'failed',4,503,'HTTP 503',NULL,1767224881000,1767224881000);
INSERT INTO "log_entry" VALUES('ep-1','d-5',1767224820000,'failed',5,503,'HTTP 503',NULL,1767224821000,1767224821000);
INSERT INTO "log_entry" VALUES('ep-1','d-5',1767225560000,'in_progress',5,NULL,NULL,1,1767225570000,1767225570000);
INSERT INTO "log_entry" VALUES('ep-1','d-6',1767052800000,'failed',6,503,'HTTP 503',NULL,1767052801000,1767052801000);
INSERT INTO "log_entry" VALUES('ep-1','d-6b',1767053040200,'succeeded',6,200,NULL,1,1767053100000,1767053100000);
INSERT INTO "log_entry" VALUES('ep-1','d-7',1767052800000,'failed',7,503,'HTTP 503',NULL,1767052801000,1767052801000);
INSERT INTO "log_entry" VALUES('ep-1','d-7',1767056400000,'succeeded',7,200,NULL,NULL,1767056400000,1767056400000);
INSERT INTO "log_entry" VALUES('ep-1','d-8',1766448000000,'failed',8,503,'HTTP 503',NULL,1766448001000,1766448001000);
INSERT INTO "log_entry" VALUES('ep-1','d-9',1766880000000,'failed',9,503,'HTTP 503',NULL,1766880001000,1766880001000);
INSERT INTO "log_entry" VALUES('ep-1','other',1767222000000,'succeeded',NULL,200,NULL,NULL,1767222000000,1767225540000);
INSERT INTO "log_entry" VALUES('ep-2','d-12',1767223800000,'failed',12,503,'HTTP 503',NULL,1767223801000,1767223801000);
INSERT INTO "log_entry" VALUES('ep-3','d-13',1767223800000,'failed',13,503,'HTTP 503',NULL,1767223801000,1767223801000);
INSERT INTO "log_entry" VALUES('ep-4','d-10',1766793600000,'failed',10,503,'HTTP 503',NULL,1766793601000,1766793601000);
INSERT INTO "log_entry" VALUES('ep-5','d-15',1767224400000,'failed',15,503,'HTTP 503',NULL,1767224401000,1767224401000);
INSERT INTO "log_entry" VALUES('ep-5','d-16',1767224460000,'failed',16,503,'HTTP 503',NULL,1767224461000,1767224461000);
CREATE TABLE metric_event_type (
    -- The event types that have a label of their own in the metrics file; all further ones are `other`.
    name TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
INSERT INTO "metric_event_type" VALUES('document_upload',1);
INSERT INTO "metric_event_type" VALUES('profile_update',0);
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
INSERT INTO "operator_action" VALUES(1,1767222000000,'ann','requeue','ep-1',14,'the receiver is mended');
INSERT INTO "operator_action" VALUES(2,1767224400000,'ben','pause','ep-3',NULL,'their night');
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
INSERT INTO "scan_gap" VALUES(1,'ep-4',1767218400000,1767222000000,'https://provider.example/logs?page=3',1,1767222000000);
CREATE TABLE schema_migration (
    version INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    applied_ms INTEGER NOT NULL
) STRICT;
INSERT INTO "schema_migration" VALUES(1,'0001_initial',X'E024260AF0CD50E57A0BE27FDED808BC5A164EE6F5D1D22723F8B4EE327084B1',1764633600000);
CREATE TABLE task_alias (
    -- Further task ids under which the provider logs a delivery of ours after a retry.
    endpoint_id TEXT NOT NULL REFERENCES endpoint (id),
    task_id TEXT NOT NULL,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id) ON DELETE CASCADE,
    source TEXT NOT NULL CHECK (source IN ('named', 'matched')),
    PRIMARY KEY (endpoint_id, task_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "task_alias" VALUES('ep-1','d-4b',4,'named');
INSERT INTO "task_alias" VALUES('ep-1','d-6b',6,'matched');
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
INSERT INTO "unreadable_entry" VALUES(1,'ep-1',X'D78DCCA02054F6241EDC6D24A26C56C6897B90E261A855DB54CBE9101FCE61BE','no_task_id','none of task_id, id',X'7B227768656E223A22796573746572646179227D',20,NULL,1767222000000);
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
COMMIT;
PRAGMA application_id = 1919183990;
PRAGMA user_version = 1;
