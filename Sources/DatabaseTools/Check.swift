package import DeliveryQueue

/// One part of a full check: what was examined and what is wrong with it.
package struct CheckPart: Sendable, Equatable {
    package enum Name: String, Sendable, CaseIterable {
        case structure, references, settings, schema, bodies, states
    }

    package let name: Name
    /// How many things were examined; nil where they cannot be counted. For `schema` it is the version.
    package var examined: Int?
    /// The first faults; no more than `listLimit`.
    package private(set) var faults: [String] = []
    /// How many faults there are; `structure` and `references` stop at a hundred.
    package private(set) var count = 0

    static let listLimit = 20

    package init(_ name: Name, examined: Int? = nil, faults: [String] = []) {
        self.name = name
        self.examined = examined
        faults.forEach { add($0) }
    }

    mutating func add(_ fault: String) {
        count += 1
        if faults.count < Self.listLimit { faults.append(fault) }
    }
}

extension QueueReader {
    /// Examines everything: the file's structure, its references, settings and schema, each stored body against its
    /// hash, and what the schema's `CHECK`s cannot say about states. Reads only; takes some seconds per million rows.
    ///
    /// A part that cannot be read has that as its fault, and the others are still examined.
    package func check() -> [CheckPart] {
        CheckPart.Name.allCases.map { name in
            do throws(StoreError) {
                return try part(name)
            } catch {
                return CheckPart(name, faults: ["cannot be examined: \(error.cause)"])
            }
        }
    }

    private func part(_ name: CheckPart.Name) throws(StoreError) -> CheckPart {
        switch name {
        case .structure: CheckPart(name, faults: try examine { try $0.structureFaults(.full) })
        case .references: CheckPart(name, faults: try examine { try $0.foreignKeyFaults() })
        case .settings: try settingsPart()
        case .schema: try schemaPart()
        case .bodies: try bodiesPart()
        case .states: try statesPart()
        }
    }

    /// As `Connections.examine`, with errors as `StoreError`.
    func examine<Value>(_ work: (Session) throws -> Value) throws(StoreError) -> Value {
        do {
            return try connections.examine(work)
        } catch {
            throw StoreError(error, operation: "examine database \(path)")
        }
    }

    private func settingsPart() throws(StoreError) -> CheckPart {
        let settings = try examine { try $0.settings() }
        var part = CheckPart(.settings, examined: settings.count)
        for (name, wanted) in SQLiteSettings.wanted.sorted(by: { $0.key < $1.key })
        where settings[name] != wanted {
            // A backup is one file; the daemon switches it to WAL.
            if name == "journal_mode", settings[name] == "delete" { continue }
            part.add("PRAGMA \(name) is \(settings[name] ?? "unset"), not \(wanted)")
        }
        return part
    }

    private func schemaPart() throws(StoreError) -> CheckPart {
        try examine { session in
            let version = try session.schemaVersion()
            var part = CheckPart(.schema, examined: version)
            if let fault = try session.schemaFault() { part.add(fault) }
            if version < Migrations.newest {
                part.add(
                    "its version is \(version), this program's is \(Migrations.newest): "
                        + "the daemon has not been started since the upgrade")
            }
            return part
        }
    }

    // MARK: - Bodies

    /// How many rows are read in one snapshot; between two of them the write-ahead log may be reset. Bodies are in
    /// memory one at a time.
    fileprivate static let bodiesPerSnapshot = 2_000

    private func bodiesPart() throws(StoreError) -> CheckPart {
        var part = CheckPart(.bodies, examined: 0)
        var last: Int64? = 0
        while let after = last {
            last = try read("check the bodies", anySchema: true) { try $0.examineBodies(after: after, into: &part) }
        }
        return part
    }

    // MARK: - States

    private func statesPart() throws(StoreError) -> CheckPart {
        try read("check the states", anySchema: true) { session in
            var part = CheckPart(.states, examined: Int(try session.number("SELECT COUNT(*) FROM delivery") ?? 0))
            for rule in StateRule.all {
                try session.each(rule.violations) { row in
                    part.add("delivery \(row.integer()) \(rule.fault)")
                    return true
                }
            }
            for fault in try session.deadCountFaults() { part.add(fault) }
            return part
        }
    }
}

extension Session {
    /// - Returns: where the next batch begins; nil at the end.
    fileprivate func examineBodies(after id: Int64, into part: inout CheckPart) throws -> Int64? {
        var last: Int64?
        try each(
            """
            SELECT delivery_id, body, sha256 FROM delivery_body
            WHERE delivery_id > ? ORDER BY delivery_id LIMIT \(QueueReader.bodiesPerSnapshot)
            """,
            [id]
        ) { row in
            let (id, body, sha256) = (row.integer(), row.bytesIfAny(), row.bytes())
            last = id
            guard let body else { return true }
            part.examined? += 1
            if BodyDigest.sha256(body) != sha256 { part.add("the body of delivery \(id) does not match its SHA-256") }
            return true
        }
        return last
    }

    /// Where `dead_count` differs from the dead deliveries.
    fileprivate func deadCountFaults() throws -> [String] {
        try all(
            """
            WITH dead (event_type, dead_reason, n) AS (
                SELECT event_type, dead_reason, COUNT(*) FROM delivery WHERE state = 'dead' GROUP BY event_type, dead_reason
            )
            SELECT kind.dead_reason, coalesce(dead.n, 0), coalesce(dead_count.n, 0)
            FROM (SELECT event_type, dead_reason FROM dead
                  UNION SELECT event_type, dead_reason FROM dead_count) AS kind
            LEFT JOIN dead USING (event_type, dead_reason)
            LEFT JOIN dead_count USING (event_type, dead_reason)
            WHERE coalesce(dead.n, 0) <> coalesce(dead_count.n, 0)
            """
        ) { row in
            let (reason, found, counted) = (row.text(), row.integer(), row.integer())
            return "dead_count for reason \(reason) is \(counted), but \(found) rows are dead"
        }
    }
}

/// A rule for every delivery that no `CHECK` can express, because it needs two tables.
private struct StateRule {
    /// Completes "delivery 12 …".
    let fault: String
    /// Selects the deliveries that break it, as `id`.
    let violations: String

    static let all = [
        StateRule(
            fault: "is open and has no body to send",
            violations: """
                SELECT delivery.id FROM delivery
                LEFT JOIN delivery_body ON delivery_body.delivery_id = delivery.id
                WHERE delivery.finalized_ms IS NULL AND delivery_body.body IS NULL
                """),
        StateRule(
            fault: "is attempting or awaiting, but has no open attempt with its lease token",
            violations: """
                SELECT delivery.id FROM delivery
                WHERE delivery.state IN ('attempting', 'awaiting') AND NOT EXISTS (
                    SELECT 1 FROM attempt
                    WHERE attempt.delivery_id = delivery.id AND attempt.lease_token = delivery.lease_token
                      AND attempt.outcome IS NULL)
                """),
        StateRule(
            fault: "has an open attempt with an old lease token",
            violations: """
                SELECT delivery.id FROM attempt
                JOIN delivery ON delivery.id = attempt.delivery_id
                WHERE attempt.outcome IS NULL
                  AND (delivery.state NOT IN ('attempting', 'awaiting') OR attempt.lease_token <> delivery.lease_token)
                """),
        StateRule(
            fault: "has an attempt with a lease token that was never given",
            violations: """
                SELECT delivery.id FROM attempt
                JOIN delivery ON delivery.id = attempt.delivery_id
                WHERE attempt.lease_token > delivery.lease_token
                """),
        StateRule(
            fault: "has a further task id at another endpoint",
            violations: """
                SELECT delivery.id FROM task_alias
                JOIN delivery ON delivery.id = task_alias.delivery_id
                WHERE task_alias.endpoint_id <> delivery.endpoint_id
                """),
    ]
}
