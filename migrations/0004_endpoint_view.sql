-- Lets v_by_endpoint find the oldest open delivery of each endpoint, and the calls of the last day, without a look into
-- the tables for every row: on a million deliveries, half of them open, its answer took longer than a second.
DROP INDEX delivery_event;
CREATE INDEX delivery_event ON delivery (endpoint_id, event_type, customer_id, first_failed_ms)
    WHERE state IN ('scheduled', 'attempting', 'awaiting');
DROP INDEX attempt_called;
CREATE INDEX attempt_called ON attempt (intent_ms, delivery_id, outcome);
