import GRDB

/// How SQLite means to answer a query, and the one rule for views: what was delivered long ago costs nothing.
enum ViewPlan {
    /// Indexes without delivered rows, and that of the superseded ones, which are few: to read one whole is what a view of
    /// open, dead or superseded deliveries is for.
    private static let small: Set<String> = [
        "delivery_due", "delivery_leased", "delivery_awaiting", "delivery_waiting", "delivery_event",
        "delivery_died", "delivery_line", "delivery_manual", "delivery_superseded",
    ]
    /// What leads from an index that holds delivered rows, or from the table, to a few of them: one delivery, one task,
    /// one customer, or those that ended since a time.
    private static let narrow = ["rowid=?", "task_id=?", "customer_id=?", "finalized_ms>?"]

    /// The lines of the plan that read a table of deliveries, their bodies or their log entries as a whole, or an index of
    /// all of them, or all that an index has for one endpoint.
    static func faults(_ db: Database, _ sql: String) throws -> [String] {
        try lines(db, sql).filter(breaksRule)
    }

    static func lines(_ db: Database, _ sql: String) throws -> [String] {
        let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN \(sql)")
        // What its parameters are does not change the plan.
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
