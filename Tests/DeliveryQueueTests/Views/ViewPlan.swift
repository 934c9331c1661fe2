import GRDB

/// How SQLite plans to answer a query, and the one rule for views: deliveries that arrived long ago cost nothing.
enum ViewPlan {
    /// Indexes without delivered rows, and the index of superseded ones, which are few. A view of open, dead or
    /// superseded deliveries may read one of them whole.
    private static let small: Set<String> = [
        "delivery_due", "delivery_leased", "delivery_awaiting", "delivery_waiting", "delivery_event",
        "delivery_died", "delivery_line", "delivery_manual", "delivery_superseded", "log_entry_open",
    ]
    /// Conditions that lead from the table, or an index with delivered rows, to a few of them: one delivery, one task,
    /// one customer, or those that ended since a time.
    private static let narrow = ["rowid=?", "task_id=?", "customer_id=?", "finalized_ms>?"]

    /// The lines of the plan that read a table of deliveries, their bodies or their log entries as a whole, or an index
    /// of all of them, or all that an index has for one endpoint.
    static func faults(_ db: Database, _ sql: String) throws -> [String] {
        try lines(db, sql).filter(breaksRule)
    }

    static func lines(_ db: Database, _ sql: String) throws -> [String] {
        let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
        // The values of its parameters do not change the plan.
        statement.setUncheckedArguments(StatementArguments())
        return try Row.fetchAll(statement).map { $0["detail"] as String }
    }

    /// A line is, for example, `SEARCH delivery USING COVERING INDEX delivery_final (finalized_ms>?)`.
    static func breaksRule(_ line: String) -> Bool {
        let words = line.split(separator: " ").map(String.init)
        guard words.count > 1, ["delivery", "delivery_body", "log_entry"].contains(words[1]) else { return false }
        let index = words.firstIndex(of: "INDEX").map { words[$0 + 1] }
        if let index, small.contains(index) { return false }
        guard words[0] == "SEARCH" else { return true }
        if words[1] == "log_entry" { return false }
        return !narrow.contains { line.contains("(\($0)") || line.contains(" \($0)") }
    }
}
