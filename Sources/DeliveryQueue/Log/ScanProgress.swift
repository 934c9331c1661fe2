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
    package var newestFirst: Bool

    package init(
        gapID: Int64? = nil, started: Timestamp, newest: Timestamp? = nil, unread: ScanRange? = nil,
        resumeURL: String? = nil, newestFirst: Bool = false
    ) {
        self.gapID = gapID
        self.started = started
        self.newest = newest
        self.unread = unread
        self.resumeURL = resumeURL
        self.newestFirst = newestFirst
    }
}

/// A range that an earlier scan did not read to its end.
package struct ScanGap: Sendable, Equatable {
    package let id: Int64
    package let range: ScanRange
    /// nil: begin at the log's first page.
    package let resumeURL: String?
    package let newestFirst: Bool
    package let started: Timestamp
}

/// What the poller needs to know of an endpoint before it reads its log.
package struct ScanPlan: Sendable, Equatable {
    /// The range for a new scan, with the overlap already subtracted.
    package let range: ScanRange
    package let gaps: [ScanGap]
    /// Failures logged before this time are not ours to retry.
    package let historyFrom: Timestamp
    /// Whether no entry with a time was read from this log yet.
    package let isFirst: Bool
}
