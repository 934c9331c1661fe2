/// How an endpoint's log was read last, as far as a claim must know it. A delivery may be called only when a reading
/// shows that it has not arrived since it failed; `docs/coverage.md` has the whole rule.
package struct LogReading: Sendable, Equatable {
    /// `endpoint.openings` when the reading began. A hold that ended since makes the reading too old.
    package var openings: Int64
    /// Old rows were read again from this time on, lately. It counts where the log changes rows in place.
    package var rowsSince: Timestamp
    /// Old rows were read again from this time on, since calls may begin. It counts while nobody knows how the log
    /// shows a retry.
    package var rowsSinceOpening: Timestamp

    /// - Parameter rowsSince: `Timestamp.distantPast` when all rows count as read.
    package init(openings: Int64 = 0, rowsSince: Timestamp, rowsSinceOpening: Timestamp) {
        self.openings = openings
        self.rowsSince = rowsSince
        self.rowsSinceOpening = rowsSinceOpening
    }

    /// A log that was read whole a moment ago.
    package static let whole = LogReading(rowsSince: .distantPast, rowsSinceOpening: .distantPast)
}

extension Timestamp {
    /// Before all rows of all logs.
    package static let distantPast = Timestamp(milliseconds: .min)
    /// After all rows of all logs.
    package static let distantFuture = Timestamp(milliseconds: .max)
}

/// How an endpoint's log shows a retry; learned from it.
package enum RetryShows: String, SQLWord, Sendable {
    case unknown
    case newEntry = "new_entry"
    case inPlace = "in_place"
}
