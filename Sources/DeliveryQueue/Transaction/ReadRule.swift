/// Whether the reading of its log allows a delivery to be called: the database's half of the rule in
/// `docs/coverage.md`. The other half, how long ago the log was read, is `Freshness` in the worker.
struct ReadRule {
    /// Whether the endpoint's log must be read before any of its deliveries is called.
    private(set) var isLate: Bool
    /// What failed before this time may have arrived in a part of the log that is not read; nil: all is read.
    private let unreadUntil: Timestamp?
    /// Only rows logged from this time on were read again; nil: no row needs to be.
    private var rowsSince: Timestamp?
    /// What failed before this time is called whatever its row shows by now, because an operator said so; nil: nothing.
    private let freedUntil: Timestamp?
    /// Whether nobody knows yet how the log shows a retry. The first call is to show it.
    let isLearning: Bool

    /// Reads `openings, retry_shows, unread_until_ms, freed_until_ms` of `endpoint_standing`.
    ///
    /// - Parameter judged: by which rules a call is decided, and how the log was read. No reading: the log is taken for
    ///   read; one that is nil: it is not read. nil: no call is decided, and the log is taken for read.
    init(_ row: inout SQLRow, _ judged: (rules: RetryRules, reading: LogReading??)?) throws {
        let (openings, shows) = (row.integer(), try row.word(RetryShows.self))
        unreadUntil = row.timestampIfAny()
        freedUntil = row.timestampIfAny()
        isLearning = shows == .unknown && judged?.rules.confirmation == .log
        isLate = false
        guard let (rules, reading) = judged, let reading else { return }
        isLate = reading?.openings != openings
        guard let reading, rules.confirmation == .log else { return }
        rowsSince = shows.rowsNeeded(of: reading)
        if rowsSince == .distantPast { rowsSince = nil }
    }

    /// The same after a reading that shows everything that can be read.
    var asIfRead: ReadRule {
        var rule = self
        rule.isLate = false
        rule.rowsSince = nil
        return rule
    }

    /// Whether a reading could allow more than now.
    var mayBeLate: Bool { isLate || rowsSince != nil }

    /// More of a condition on `delivery`, with `AND` before it; empty when nothing is left out. Only what it leaves out
    /// costs a look at the table.
    var condition: String {
        (unreadUntil == nil ? "" : " AND last_failed_ms >= :unread_until")
            + (rowsSince == nil ? "" : " AND (logged_ms >= :rows_since OR last_failed_ms < :freed_until)")
    }

    var parameters: Parameters {
        var parameters: Parameters = [:]
        if let unreadUntil { parameters.add("unread_until", unreadUntil) }
        if let rowsSince {
            parameters.add("rows_since", rowsSince)
            parameters.add("freed_until", freedUntil)
        }
        return parameters
    }
}

extension RetryShows {
    /// From when on a delivery's own row must have been read again before a call; nil: its row never changes.
    fileprivate func rowsNeeded(of reading: LogReading) -> Timestamp? {
        switch self {
        case .newEntry: nil
        case .inPlace: reading.rowsSince
        case .unknown: reading.rowsSinceOpening
        }
    }
}
