/// A range of an endpoint's log, in provider time, that is to be read.
package struct ScanRange: Sendable, Equatable {
    package let from: Timestamp
    package let to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = max(from, to)
    }
}

/// How far a scan has come after a page. It is written together with the page's rows, so a crash between two pages
/// leaves a gap that says what is unread and where to go on.
package struct ScanProgress: Sendable, Equatable {
    /// The gap that this scan reads; nil on the first page of a new scan.
    package var gapID: Int64?
    /// Our time at which the scan began.
    package var started: Timestamp
    /// The newest provider time read so far; nil when no entry had a time.
    package var newest: Timestamp?
    /// What is still unread; nil when the scan is complete.
    package var unread: ScanRange?
    /// The URL of the next page while something is unread.
    package var resumeURL: String?
    /// The URL of the page that was read last while something is unread; nil: the log's first page.
    package var lastURL: String?
    package var newestFirst: Bool
    /// True when nothing is unread as soon as the page's last entry was stored before the scan began: in a newest-first
    /// log all that follows was read as well.
    package var stopsAtKnown: Bool
    /// Whether the old rows that the scan is to read again are read. Then the log's silence counts up to its beginning.
    package var hasReread: Bool
    /// Whether its range is read once more when it ends, because entries may have been deleted meanwhile unnoticed.
    package var walksAgain: Bool

    package init(
        gapID: Int64? = nil, started: Timestamp, newest: Timestamp? = nil, unread: ScanRange? = nil,
        resumeURL: String? = nil, lastURL: String? = nil, newestFirst: Bool = false, stopsAtKnown: Bool = false,
        hasReread: Bool = true, walksAgain: Bool = false
    ) {
        self.gapID = gapID
        self.started = started
        self.newest = newest
        self.unread = unread
        self.resumeURL = resumeURL
        self.lastURL = lastURL
        self.newestFirst = newestFirst
        self.stopsAtKnown = stopsAtKnown
        self.hasReread = hasReread
        self.walksAgain = walksAgain
    }
}

extension ScanProgress {
    /// The same progress once more, for a page that is read again. It ends no scan.
    package func under(gapID: Int64?) -> ScanProgress {
        var progress = self
        progress.gapID = gapID
        progress.stopsAtKnown = false
        progress.hasReread = false
        if gapID == nil { progress.unread = nil }
        return progress
    }

    /// The progress after a page whose last entry was first read at `found`; nil: it is new.
    func ended(byLast found: Timestamp?) -> ScanProgress {
        guard stopsAtKnown, let found, found < started else { return self }
        var progress = self
        progress.unread = nil
        progress.resumeURL = nil
        return progress
    }
}

/// A range that an earlier scan did not read to its end. It keeps deliveries that failed before its end from being
/// called, because it may hold their arrival.
package struct ScanGap: Sendable, Equatable {
    package let id: Int64
    package let range: ScanRange
    /// nil: begin at the log's first page.
    package let resumeURL: String?
    /// The page before, which was read; nil: the log's first page.
    package var lastURL: String?
    package let newestFirst: Bool
    package let started: Timestamp
    /// How often in a row it could not be read.
    package var failures = 0
    /// It is read again from then on, by our clock.
    package var retry = Timestamp.distantPast
    /// Whether an operator allowed calls in spite of it.
    package var isFreed = false
    /// Whether it was read, and is read once more.
    package var isSecond = false

    package init(
        id: Int64, range: ScanRange, resumeURL: String?, lastURL: String? = nil, newestFirst: Bool, started: Timestamp,
        failures: Int = 0, retry: Timestamp = .distantPast, isFreed: Bool = false, isSecond: Bool = false
    ) {
        self.id = id
        self.range = range
        self.resumeURL = resumeURL
        self.newestFirst = newestFirst
        self.started = started
        self.failures = failures
        self.retry = retry
        self.lastURL = lastURL
        self.isFreed = isFreed
        self.isSecond = isSecond
    }

    /// Whether it may be read again. A clock that was put back must not keep it unread.
    package func isDue(at now: Timestamp) -> Bool {
        retry <= now || retry - now > (Self.pauses.last ?? .zero)
    }

    /// The waits before a gap is read again, after the first, second, … failure in a row; the last one repeats.
    static let pauses: [Duration] = [5, 10, 20, 40, 80, 160, 300].map { .seconds($0) }
}

/// Which old rows a scan is to read again.
package struct Reread: Sendable, Equatable {
    /// Whether everything within the overlap is, because an entry may be logged late.
    package var withOverlap: Bool
    /// Rows logged from this time on were read again since calls may begin, while `endpoint.openings` was `openings`.
    package var rowsSinceOpening: Timestamp
    package var openings: Int64
    /// Rows logged before this time lie too deep. Of them only those are aimed at that are called next.
    package var reach: Timestamp

    package init(
        withOverlap: Bool, rowsSinceOpening: Timestamp, openings: Int64 = 0, reach: Timestamp = .distantPast
    ) {
        self.withOverlap = withOverlap
        self.rowsSinceOpening = rowsSinceOpening
        self.openings = openings
        self.reach = reach
    }
}

/// What the poller needs to know of an endpoint before it reads its log.
package struct ScanPlan: Sendable, Equatable {
    /// The range for a new scan, with the overlap already subtracted.
    package let range: ScanRange
    /// Rows that are read again reach back to this time; nil: none needs to be.
    package let rereadFrom: Timestamp?
    /// Whether old rows about which a decision waits lie too deep for this scan.
    package let leavesOldRows: Bool
    /// Whether an old row may change, or nobody knows that it does not. Then one that cannot be read is unread.
    package let rowsMayChange: Bool
    package let gaps: [ScanGap]
    /// Failures logged before this time are not ours to retry.
    package let historyFrom: Timestamp
    /// Whether no entry with a time was read from this log yet.
    package let isFirst: Bool
    /// `endpoint.openings`; see `LogReading`.
    package let openings: Int64
    /// Whether the log was read by a clock that was ahead of ours now; see `QueueStore.putRight`.
    package let wasReadAhead: Bool
}
