import GRDB

/// What a pruning turn removed, in counts.
package struct PruneSummary: Sendable, Equatable {
    /// Of delivered deliveries whose rows stay.
    package var bodies = 0
    package var delivered = 0
    package var dead = 0
    /// Entries that belong to no delivery; those of a delivery go with it.
    package var logEntries = 0
    /// What is remembered of the newest arrivals, by which superseded deliveries are known.
    package var arrivals = 0
    package var unreadable = 0

    package init() {}

    package var deliveries: Int { delivered + dead }
    package var total: Int { bodies + deliveries + logEntries + arrivals + unreadable }

    package static func += (sum: inout PruneSummary, more: PruneSummary) {
        sum.bodies += more.bodies
        sum.delivered += more.delivered
        sum.dead += more.dead
        sum.logEntries += more.logEntries
        sum.arrivals += more.arrivals
        sum.unreadable += more.unreadable
    }
}

/// Rows that were found to be past their time, by delivery; what they are by now is looked at when they are removed.
package struct OldRows: Sendable {
    /// Deliveries whose bodies go.
    fileprivate var bodies: [Int64] = []
    /// Deliveries that go as a whole.
    fileprivate var deliveries: [Int64] = []

    package var isEmpty: Bool { bodies.isEmpty && deliveries.isEmpty }

    /// Takes so many of each kind out.
    package mutating func takeFirst(_ count: Int) -> OldRows {
        defer {
            bodies.removeFirst(min(count, bodies.count))
            deliveries.removeFirst(min(count, deliveries.count))
        }
        return OldRows(bodies: Array(bodies.prefix(count)), deliveries: Array(deliveries.prefix(count)))
    }
}

extension QueueStore {
    /// Bodies are people's identity data: dropped this long after the delivery; the hash stays.
    package static let bodyRetention = Duration.seconds(7 * 86_400)
    package static let deliveredRetention = Duration.seconds(90 * 86_400)
    package static let deadRetention = Duration.seconds(180 * 86_400)
    package static let unreadableRetention = Duration.seconds(90 * 86_400)
    /// Successes of deliveries that never failed are remembered this long after they were last read: a newest-first
    /// scan reads a success before the failure that it mends. A scan that was cut short may last longer: while its gap is
    /// left, nothing of its endpoint is forgotten.
    package static let unrelatedEntryRetention = Duration.seconds(86_400)

    /// Looks for deliveries that are past their time, at most `limit` of each kind; open ones never. In a snapshot, which keeps
    /// no writer waiting. All deliveries since the bodies' time are looked at for it.
    package func oldRows(limit: Int, at now: Timestamp) async throws(StoreError) -> OldRows {
        try await read("find old deliveries") { db in
            OldRows(
                bodies: try db.ids(Prunable.bodies, limit, at: now),
                deliveries: try db.ids(Prunable.deliveries, limit, at: now))
        }
    }

    /// Finds what is past its time and removes it, at most `limit` rows of each kind; the caller repeats it until `total` is 0.
    package func prune(limit: Int = 500, at now: Timestamp) async throws(StoreError) -> PruneSummary {
        try await prune(try await oldRows(limit: limit, at: now), limit: limit, at: now)
    }

    /// Removes what was found, and at most `limit` rows of each kind that belongs to no delivery, in one short transaction.
    package func prune(_ old: OldRows, limit: Int, at now: Timestamp) async throws(StoreError) -> PruneSummary {
        try await write("prune old rows") { db in
            var summary = PruneSummary()
            for id in old.bodies {
                summary.bodies += try db.change(
                    """
                    UPDATE delivery_body SET body = NULL WHERE delivery_id = ? AND body IS NOT NULL AND EXISTS (
                        SELECT 1 FROM delivery WHERE id = delivery_id AND state = 'delivered' AND finalized_ms <= ?)
                    """,
                    [id, (now - Self.bodyRetention).milliseconds])
            }
            for id in old.deliveries {
                // Asked again: an operator may have requeued a dead one since.
                let gone = try db.firstRow(
                    "DELETE FROM delivery WHERE id = :id AND \(Prunable.oldDelivery) RETURNING state",
                    Prunable.limits(id: id, at: now))
                if gone?["state"] == "delivered" { summary.delivered += 1 }
                if gone?["state"] == "dead" { summary.dead += 1 }
            }
            let limits = Prunable.limits(at: now, limit)
            summary.logEntries = try db.change(
                """
                DELETE FROM log_entry WHERE (endpoint_id, task_id, logged_ms, outcome) IN (
                    SELECT endpoint_id, task_id, logged_ms, outcome \(Prunable.logEntries) LIMIT :limit)
                """,
                limits)
            summary.arrivals = try db.change(
                """
                DELETE FROM latest_arrival WHERE (webhook_id, customer_id, event_type) IN (
                    SELECT webhook_id, customer_id, event_type \(Prunable.arrivals) LIMIT :limit)
                """,
                limits)
            // As long as a failure may be taken up anew.
            try db.run("DELETE FROM test_event WHERE asked_ms <= ?", [(now - Self.deliveredRetention).milliseconds])
            summary.unreadable = try db.change(
                "DELETE FROM unreadable_entry WHERE id IN (SELECT id \(Prunable.unreadable) LIMIT :limit)", limits)
            return summary
        }
    }

    /// Gives freed pages back to the file system, a few at a time.
    ///
    /// - Returns: how many free pages are left.
    @discardableResult
    package func reclaimSpace(pages: Int = 256) async throws(StoreError) -> Int {
        try await write("reclaim free space", inTransaction: false) { db in
            // Each step of this pragma frees one page; it must be run to its end.
            _ = try Row.fetchAll(db, sql: "PRAGMA incremental_vacuum(\(pages))")
            return try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        }
    }
}

extension QueueReader {
    /// What pruning would remove now, all of it.
    package func prunable(at now: Timestamp) throws(StoreError) -> PruneSummary {
        try read("look for old rows") { db in
            func count(_ what: String) throws -> Int {
                try db.firstRow("SELECT COUNT(*) AS n \(what)", Prunable.limits(at: now))?["n"] ?? 0
            }
            var summary = PruneSummary()
            summary.bodies = try count(Prunable.bodies)
            summary.delivered = try count("\(Prunable.deliveries) AND state = 'delivered'")
            summary.dead = try count("\(Prunable.deliveries) AND state = 'dead'")
            summary.logEntries = try count(Prunable.logEntries)
            summary.arrivals = try count(Prunable.arrivals)
            summary.unreadable = try count(Prunable.unreadable)
            return summary
        }
    }
}

/// What is past its time: `FROM` and `WHERE`, told once for those who count and those who remove.
private enum Prunable {
    /// One that the log told of since is not old, whatever our clock said when it was finalized: its entries would be read
    /// again and taken up anew.
    static let oldDelivery = """
        ((finalized_ms <= :deliveredBefore AND state = 'delivered') OR (finalized_ms <= :deadBefore AND state = 'dead'))
        AND NOT EXISTS (
            SELECT 1 FROM log_entry
            WHERE log_entry.delivery_id = delivery.id AND log_entry.logged_ms > :deliveredBefore)
        """
    static let deliveries = "FROM delivery WHERE \(oldDelivery)"
    /// Not those of deliveries that go as a whole.
    static let bodies = """
        FROM delivery JOIN delivery_body ON delivery_body.delivery_id = delivery.id
        WHERE delivery.finalized_ms <= :bodiesBefore AND delivery.finalized_ms > :deliveredBefore
          AND delivery.state = 'delivered' AND delivery_body.body IS NOT NULL
        """
    static let logEntries = """
        FROM log_entry WHERE delivery_id IS NULL AND seen_ms <= :entriesBefore
          AND NOT EXISTS (SELECT 1 FROM scan_gap WHERE scan_gap.endpoint_id = log_entry.endpoint_id)
        """
    static let arrivals = "FROM latest_arrival WHERE event_ms <= :deliveredBefore"
    static let unreadable = "FROM unreadable_entry WHERE seen_ms <= :unreadableBefore"

    /// The parameters of all of them; a statement takes those that it names.
    static func limits(id: Int64? = nil, at now: Timestamp, _ limit: Int? = nil) -> StatementArguments {
        [
            "bodiesBefore": (now - QueueStore.bodyRetention).milliseconds,
            "deliveredBefore": (now - QueueStore.deliveredRetention).milliseconds,
            "deadBefore": (now - QueueStore.deadRetention).milliseconds,
            "entriesBefore": (now - QueueStore.unrelatedEntryRetention).milliseconds,
            "unreadableBefore": (now - QueueStore.unreadableRetention).milliseconds,
            "id": id, "limit": limit,
        ]
    }
}

extension Database {
    /// The first deliveries that are past their time.
    fileprivate func ids(_ what: String, _ limit: Int, at now: Timestamp) throws -> [Int64] {
        try rows("SELECT delivery.id \(what) LIMIT :limit", Prunable.limits(at: now, limit)).map { $0["id"] }
    }

    /// Runs a statement and tells how many rows it changed.
    fileprivate func change(_ sql: String, _ arguments: StatementArguments) throws -> Int {
        try run(sql, arguments: arguments)
        return changesCount
    }
}
