import GRDB

/// What became of every call and every delivery, one row for each change, written by triggers in the transaction of the
/// change: the tables themselves show only the last state.
enum TortureHistory {
    static let triggers = """
        CREATE TABLE torture_history (
            id INTEGER NOT NULL PRIMARY KEY, delivery_id INTEGER NOT NULL, lease INTEGER NOT NULL, event TEXT NOT NULL
        ) STRICT;
        CREATE TRIGGER torture_state AFTER UPDATE OF state ON delivery WHEN NEW.state <> OLD.state BEGIN
            INSERT INTO torture_history (delivery_id, lease, event) VALUES (NEW.id, NEW.lease_token, NEW.state);
        END;
        CREATE TRIGGER torture_outcome AFTER UPDATE OF outcome ON attempt WHEN NEW.outcome IS NOT OLD.outcome BEGIN
            INSERT INTO torture_history (delivery_id, lease, event)
            VALUES (NEW.delivery_id, NEW.lease_token, 'call ' || NEW.outcome);
        END;
        """

    /// Deliveries that came into a final state more often than once.
    static let finalTwice = """
        SELECT COUNT(*) FROM (
            SELECT delivery_id FROM torture_history WHERE event IN ('delivered', 'dead')
            GROUP BY delivery_id HAVING COUNT(*) > 1)
        """

    /// Calls that followed another call of their delivery about which nothing was known: the log had shown no failure,
    /// its deadline had not passed, and no answer said that it was not executed.
    static let blindRepeats = """
        SELECT COUNT(*) FROM attempt AS later
        JOIN attempt AS earlier ON earlier.delivery_id = later.delivery_id
            AND earlier.lease_token = (SELECT MAX(lease_token) FROM attempt
                WHERE delivery_id = later.delivery_id AND lease_token < later.lease_token)
        WHERE NOT EXISTS (
            SELECT 1 FROM torture_history AS known
            WHERE known.delivery_id = earlier.delivery_id AND known.lease = earlier.lease_token
              AND known.event IN ('call failed', 'call unconfirmed', 'call not_executed')
              AND known.id < (SELECT MIN(id) FROM torture_history AS claim
                  WHERE claim.delivery_id = later.delivery_id AND claim.event = 'attempting'
                    AND claim.lease = later.lease_token))
        """
}
