/// Whose an entry is that the log of an endpoint shows. One that names another configured endpoint is that one's.
extension RuledTransaction {
    /// Stores one entry of a page for the endpoint that it names, else for the one whose log was read.
    mutating func ingest(_ entry: LogObservation, _ page: inout PageReading) throws {
        guard case .other(let owner) = page.names.owner(of: entry, readBy: page.endpoint.id),
            try !isAboutDelivery(entry, of: page.endpoint.id)
        else { return try store(entry, &page) }
        page.note(found: try mark(entry, of: owner, on: &page))
        // Taken out for the change: a copy in the dictionary would be copied as a whole.
        var reading = try page.others.removeValue(forKey: owner) ?? PageReading(self, of: owner, on: page)
        try store(entry, &reading)
        page.others[owner] = reading
    }

    /// Whether an entry may be about a delivery of the endpoint whose log was read, although it names another one: that
    /// was not configured when the delivery was found.
    private func isAboutDelivery(_ entry: LogObservation, of endpointID: String) throws -> Bool {
        try session.exists(
            """
            SELECT 1
            WHERE EXISTS (SELECT 1 FROM delivery WHERE task_id = :task AND endpoint_id = :endpoint)
               OR EXISTS (SELECT 1 FROM task_alias WHERE task_id = :task AND endpoint_id = :endpoint)
               OR EXISTS (SELECT 1 FROM delivery
                          WHERE endpoint_id = :endpoint AND event_type = :type
                            AND customer_id IS NOT DISTINCT FROM :customer AND finalized_ms IS NULL AND lease_token > 0
                            AND webhook_id = :webhook)
            """,
            [
                "task": entry.taskID, "endpoint": endpointID, "type": entry.eventType, "customer": entry.customerID,
                "webhook": entry.webhookID,
            ])
    }

    /// Ends the storing of a page: writes what was counted of all its endpoints.
    mutating func close(_ page: inout PageReading) throws {
        for reading in page.others.values {
            try note(reading.tooOld, of: reading.endpoint.id)
            page.summary.add(reading.summary)
        }
        try note(page.tooOld, of: page.endpoint.id)
        countDuplicates(page.summary.duplicates)
        for (other, count) in page.foreign { try noteSameRows(page.endpoint.id, other, count, isNamed: true) }
        for (other, count) in page.shared { try noteSameRows(page.endpoint.id, other, count, isNamed: false) }
    }

    /// Notes how far a log was read that shows the rows of another endpoint: those of the owner do not tell.
    ///
    /// - Returns: when this log showed the entry first; nil: now.
    private func mark(_ entry: LogObservation, of owner: String, on page: inout PageReading) throws -> Timestamp? {
        let row: Parameters = [
            "owner": owner, "task": entry.taskID, "endpoint": page.endpoint.id, "logged": entry.key,
            "outcome": entry.outcome,
        ]
        let known = try session.first(
            """
            SELECT found_ms, seen_ms FROM foreign_entry
            WHERE owner_id = :owner AND task_id = :task AND endpoint_id = :endpoint AND logged_ms = :logged
              AND outcome = :outcome
            """, row
        ) { (found: $0.timestamp(), seen: $0.timestamp()) }
        var stored = row
        stored.add("now", now)
        guard let known else {
            page.foreign[owner, default: 0] += 1
            try session.run(
                """
                INSERT INTO foreign_entry (owner_id, task_id, endpoint_id, logged_ms, outcome, found_ms, seen_ms)
                VALUES (:owner, :task, :endpoint, :logged, :outcome, :now, :now)
                """, stored)
            return nil
        }
        guard known.seen < now - Self.seenRefresh else { return known.found }
        try session.run(
            """
            UPDATE foreign_entry SET seen_ms = :now
            WHERE owner_id = :owner AND task_id = :task AND endpoint_id = :endpoint AND logged_ms = :logged
              AND outcome = :outcome
            """, stored)
        return known.found
    }

    /// Notes for people that the log of one endpoint shows rows of another.
    private func noteSameRows(_ endpointID: String, _ other: String, _ count: Int, isNamed: Bool) throws {
        try session.run(
            """
            INSERT INTO shared_log (endpoint_id, other_id, is_named, row_count, seen_ms)
            VALUES (:endpoint, :other, :named, :count, :now)
            ON CONFLICT (endpoint_id, other_id, is_named) DO UPDATE
            SET row_count = shared_log.row_count + excluded.row_count, seen_ms = excluded.seen_ms
            """,
            ["endpoint": endpointID, "other": other, "named": isNamed, "count": count, "now": now])
    }
}

/// The configured endpoints by what names them in an entry of the log.
struct EndpointNames {
    /// Whose an entry is.
    enum Owner: Equatable {
        /// The endpoint's whose log was read.
        case reader
        case other(String)
        /// Its names do not tell.
        case unknown
    }

    /// Endpoint ids by webhook id. Several endpoints may have the same one.
    private var byWebhook: [String: Set<String>] = [:]
    private var ids: Set<String> = []

    init(_ endpoints: [(id: String, webhookID: String)]) {
        for endpoint in endpoints {
            byWebhook[endpoint.webhookID, default: []].insert(endpoint.id)
            ids.insert(endpoint.id)
        }
    }

    static func fetch(_ session: Session) throws -> EndpointNames {
        EndpointNames(
            try session.all("SELECT id, coalesce(webhook_id, id) FROM endpoint WHERE active = 1") {
                (id: $0.text(), webhookID: $0.text())
            })
    }

    /// Decides whose an entry is. A configured webhook id goes before an endpoint's id, and the endpoint whose log was
    /// read before any other.
    func owner(of entry: LogObservation, readBy reader: String) -> Owner {
        guard ids.count > 1 else { return .reader }
        guard entry.namesWebhook else { return .unknown }
        let name = entry.webhookID
        let named = byWebhook[name] ?? (ids.contains(name) ? [name] : [])
        if named.contains(reader) || name == reader { return named.subtracting([reader]).isEmpty ? .reader : .unknown }
        guard named.count == 1, let other = named.first else { return .unknown }
        return .other(other)
    }
}

extension IngestSummary {
    /// Adds what the same page changed of another endpoint.
    fileprivate mutating func add(_ other: IngestSummary) {
        new += other.new
        delivered += other.delivered
        failedAgain += other.failedAgain
        duplicates += other.duplicates
        oddBody = oddBody ?? other.oddBody
    }
}
