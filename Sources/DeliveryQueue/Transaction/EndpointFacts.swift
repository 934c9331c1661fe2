/// What ingest needs to know of the endpoint that a page belongs to.
struct EndpointFacts {
    let id: String
    let historyFrom: Timestamp
    /// When a backup was last restored; 1970 for never.
    let restored: Timestamp
    /// How many outcomes in a row stood under the delivery's own task id, and our time of the first failure among them;
    /// nil: there was none.
    let ownNames: Int
    let ownNamesSince: Timestamp?
    /// Whether operators made the provider send it tests.
    let hasTests: Bool
    /// Whether any answer that is kept named a task id for its retry.
    let hasNames: Bool
    let shows: RetryShows

    /// Whether the log was seen to change its rows.
    var changesRows: Bool { shows == .inPlace }

    /// Reads an endpoint.
    ///
    /// - Throws: `storage` when it was never registered.
    static func fetch(_ session: Session, id: String) throws -> EndpointFacts {
        let facts = try session.first(
            """
            SELECT history_from_ms, restored_ms, own_names, own_names_ms,
                EXISTS (SELECT 1 FROM test_event WHERE endpoint_id = endpoint.id),
                EXISTS (SELECT 1 FROM attempt WHERE named_task_id IS NOT NULL), retry_shows
            FROM endpoint WHERE id = ?
            """,
            [id]
        ) {
            EndpointFacts(
                id: id, historyFrom: $0.timestamp(), restored: $0.timestamp(), ownNames: $0.int(),
                ownNamesSince: $0.timestampIfAny(), hasTests: $0.flag(), hasNames: $0.flag(), shows: try $0.word())
        }
        guard let facts else { throw StoreError.noEndpoint(id) }
        return facts
    }

    /// Whether the log shows all retries under the deliveries' own task ids: then an entry with an unknown one is an
    /// event of its own, however alike. The streak must hold a failure, and others must have had `confirmWithin` to
    /// appear since.
    func showsOwnNames(rules: RetryRules, at now: Timestamp) -> Bool {
        ownNames >= RetryRules.ownNamesLimit && ownNamesSince.map { now - $0 >= rules.confirmWithin } ?? false
    }

    /// The earliest time at which an attempt may follow an entry; nil: no limit. What failed before a restore may have
    /// been retried without the database knowing, so the log gets `confirmWithin` to show that.
    func earliestAttempt(for entry: LogObservation, rules: RetryRules) -> Timestamp? {
        let time = entry.changed ?? entry.logged
        guard restored.milliseconds > 0, time.map({ $0 < restored }) ?? true else { return nil }
        return restored + rules.confirmWithin
    }
}
