-- SQLite makes a table of its own, in memory, for each list of three or more values in a CHECK or in the condition of an
-- index, and does so again for every row that is written: eight of them to move one delivery, which took longer than all the
-- rest. The same conditions as comparisons need none. What they say stays the same, and so do all rows and the contents of
-- all indexes; so the text may be changed in place (sqlite.org/lang_altertable.html, 7), at once however large the file is.

PRAGMA writable_schema = ON;

-- An open delivery is one that is not final: a CHECK of the table demands the same of its state.
UPDATE sqlite_schema
SET sql = replace(sql, 'state IN (''scheduled'', ''attempting'', ''awaiting'')', 'finalized_ms IS NULL');

UPDATE sqlite_schema
SET sql = replace(sql, 'CHECK (state IN (''scheduled'', ''attempting'', ''awaiting'', ''delivered'', ''dead''))',
    'CHECK (state = ''scheduled'' OR state = ''attempting'' OR state = ''awaiting'' OR state = ''delivered'' OR state = ''dead'')')
WHERE name = 'delivery';
UPDATE sqlite_schema
SET sql = replace(sql,
    'CHECK (dead_reason IN (''attempts'', ''age'', ''rejected'', ''superseded'', ''discarded'', ''poison''))',
    'CHECK (dead_reason = ''attempts'' OR dead_reason = ''age'' OR dead_reason = ''rejected'' OR dead_reason = ''superseded'' OR dead_reason = ''discarded'' OR dead_reason = ''poison'')')
WHERE name = 'delivery';
UPDATE sqlite_schema
SET sql = replace(sql, 'CHECK (delivered_by IN (''provider'', ''worker'', ''operator''))',
    'CHECK (delivered_by = ''provider'' OR delivered_by = ''worker'' OR delivered_by = ''operator'')')
WHERE name = 'delivery';
UPDATE sqlite_schema
SET sql = replace(sql, 'CHECK (outcome IN (''delivered'', ''failed'', ''unconfirmed'', ''not_executed'', ''refused''))',
    'CHECK (outcome = ''delivered'' OR outcome = ''failed'' OR outcome = ''unconfirmed'' OR outcome = ''not_executed'' OR outcome = ''refused'')')
WHERE name = 'attempt';
UPDATE sqlite_schema
SET sql = replace(sql, 'CHECK (outcome IN (''succeeded'', ''failed'', ''in_progress''))',
    'CHECK (outcome = ''succeeded'' OR outcome = ''failed'' OR outcome = ''in_progress'')')
WHERE name = 'log_entry';
UPDATE sqlite_schema
SET sql = replace(sql, 'CHECK (retry_shows IN (''unknown'', ''new_entry'', ''in_place''))',
    'CHECK (retry_shows = ''unknown'' OR retry_shows = ''new_entry'' OR retry_shows = ''in_place'')')
WHERE name = 'endpoint';
UPDATE sqlite_schema
SET sql = replace(sql, 'CHECK (hold_reason IN (''log_silent'', ''rejected'', ''redirected'', ''operator''))',
    'CHECK (hold_reason = ''log_silent'' OR hold_reason = ''rejected'' OR hold_reason = ''redirected'' OR hold_reason = ''operator'')')
WHERE name = 'endpoint';

PRAGMA writable_schema = RESET;

-- What is due, with all that its order is chosen by: the table itself is not read for it. To make it anew also tells other
-- connections that the schema has changed.
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (endpoint_id, next_attempt_ms, id, turn_ms, manual_ms) WHERE state = 'scheduled';

-- Which deliveries of a customer ended lately.
DROP INDEX delivery_customer;
CREATE INDEX delivery_customer ON delivery (customer_id, finalized_ms) WHERE customer_id IS NOT NULL;
