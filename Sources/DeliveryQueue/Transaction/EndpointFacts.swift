/// What ingest needs to know of the endpoint that a page belongs to.
struct EndpointFacts {
    let id: String
    let historyFrom: Timestamp
    /// When a backup was last restored; 1970 for never.
    let restored: Timestamp
    /// Outcomes of calls in a row that stood under the delivery's own task id, and our time of the first failure among them;
    /// nil: there was none.
    let ownNames: Int
    let ownNamesSince: Timestamp?
    /// Operators made the provider send it tests.
    let hasTests: Bool

    static func fetch(_ session: Session, id: String) throws -> EndpointFacts {
        let facts = try session.first(
            """
            SELECT history_from_ms, restored_ms, own_names, own_names_ms,
                EXISTS (SELECT 1 FROM test_event WHERE endpoint_id = endpoint.id)
            FROM endpoint WHERE id = ?
            """,
            [id]
        ) {
            EndpointFacts(
                id: id, historyFrom: $0.timestamp(), restored: $0.timestamp(), ownNames: $0.int(),
                ownNamesSince: $0.timestampIfAny(), hasTests: $0.flag())
        }
        guard let facts else { throw StoreError.noEndpoint(id) }
        return facts
    }

    /// Whether the log shows retries under the deliveries' own task ids, so that an entry with one that is not known is an
    /// event of its own, however alike. Not before a failure stood so, and entries with other names have had as long to appear
    /// as any outcome has.
    func showsOwnNames(rules: RetryRules, at now: Timestamp) -> Bool {
        ownNames >= RetryRules.ownNamesLimit && ownNamesSince.map { now - $0 >= rules.confirmWithin } ?? false
    }

    /// The earliest time at which an attempt may follow an entry; nil: no limit. What failed before a backup was restored may
    /// have been retried since without the database's knowledge, so the log gets as long to show that as after any call.
    func earliestAttempt(for entry: LogObservation, rules: RetryRules) -> Timestamp? {
        let time = entry.changed ?? entry.logged
        guard restored.milliseconds > 0, time.map({ $0 < restored }) ?? true else { return nil }
        return restored + rules.confirmWithin
    }
}
