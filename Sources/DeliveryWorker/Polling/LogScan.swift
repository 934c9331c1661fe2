package import DeliveryQueue

/// How far to page through a log: pure, fed with each page's times, page by page.
///
/// Newest-first logs are read until nothing older can matter; all other orders are read to the end. Only what was seen
/// counts as proof of the order: entries that fall in time, clearly more often than they rise, and never rise by more than
/// the overlap, within which late entries are expected.
package struct LogScan: Sendable, Equatable {
    package let range: ScanRange
    private let overlap: Duration
    private let assumedNewestFirst: Bool
    /// By our clock.
    package let started: Timestamp
    /// The gap under which the store keeps this scan; nil before its first page.
    package private(set) var gapID: Int64?
    private var previous: Timestamp?
    private var falls = 0
    private var rises = 0
    private var risesTooMuch = false
    private var lowest: Timestamp?
    private var newest: Timestamp?
    private var visited: Set<String> = []

    /// So many more falls than rises prove a newest-first log: a few entries in no order fall by chance.
    private static let proof = 8

    /// A new scan of a range.
    ///
    /// - Parameter gap: an earlier scan's gap that this one covers as well, and stands for from now on.
    package init(range: ScanRange, overlap: Duration, started: Timestamp, takingOver gap: ScanGap? = nil) {
        self.range = ScanRange(from: min(range.from, gap?.range.from ?? range.from), to: range.to)
        gapID = gap?.id
        self.overlap = overlap
        self.started = started
        assumedNewestFirst = false
    }

    /// The scan that goes on with what an earlier one left unread.
    ///
    /// - Parameter restarts: there is no page to resume at, so it begins at the log's first page and covers everything up
    ///   to now.
    package init(resuming gap: ScanGap, overlap: Duration, restarts: Bool, at now: Timestamp) {
        range = restarts ? ScanRange(from: gap.range.from, to: now) : gap.range
        self.overlap = overlap
        started = restarts ? now : gap.started
        assumedNewestFirst = !restarts && gap.newestFirst
        gapID = gap.id
    }

    /// Notes a page's address before it is fetched.
    ///
    /// - Returns: false when this scan was there before: the log's paging runs in a circle.
    package mutating func enter(_ url: String) -> Bool {
        visited.insert(url).inserted
    }

    /// Takes a page's times, in page order, and says how the scan stands.
    ///
    /// - Parameter next: the next page's address; nil at the log's end.
    package mutating func take(_ times: [Timestamp], next: String?) -> ScanProgress {
        for time in times {
            if let previous {
                if time < previous { falls += 1 }
                if time > previous { rises += 1 }
            }
            if let lowest, time > lowest + overlap { risesTooMuch = true }
            lowest = min(lowest ?? time, time)
            newest = max(newest ?? time, time)
            previous = time
        }
        var progress = ScanProgress(gapID: gapID, started: started, newest: newest, newestFirst: isNewestFirst)
        guard let next, !nothingOlderMatters(times) else { return progress }
        progress.resumeURL = next
        let readDownTo = isNewestFirst ? (lowest ?? range.to) : range.to
        progress.unread = ScanRange(from: range.from, to: max(range.from, readDownTo))
        return progress
    }

    /// Remembers the gap under which the store keeps this scan.
    package mutating func keep(gapID: Int64?) {
        self.gapID = gapID
    }

    private var isNewestFirst: Bool {
        guard !risesTooMuch else { return false }
        return falls >= rises + (assumedNewestFirst ? 0 : Self.proof)
    }

    /// True when the page lies wholly before the range, or reaches so far before it that only an entry displaced by more
    /// than the overlap could still be missing: an idle log then costs one request.
    private func nothingOlderMatters(_ times: [Timestamp]) -> Bool {
        guard isNewestFirst, let oldest = times.min(), let youngest = times.max() else { return false }
        return youngest < range.from || oldest < range.from - overlap
    }
}
