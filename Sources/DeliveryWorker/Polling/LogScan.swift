package import DeliveryQueue

/// Decides how far to page through a log. Pure: it gets each page's times, one page after the other.
///
/// A newest-first log is read until nothing older can matter; a log in any other order is read to the end. Only the
/// entries that were seen prove the order: their times fall clearly more often than they rise, and never rise by more
/// than the overlap, within which late entries are expected.
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

    /// This many more falls than rises prove a newest-first log; a few entries in no order fall by chance.
    private static let proof = 8

    /// A new scan of a range.
    ///
    /// - Parameter gap: an earlier scan's gap that this scan covers too and replaces.
    package init(range: ScanRange, overlap: Duration, started: Timestamp, takingOver gap: ScanGap? = nil) {
        self.range = ScanRange(from: min(range.from, gap?.range.from ?? range.from), to: range.to)
        gapID = gap?.id
        self.overlap = overlap
        self.started = started
        assumedNewestFirst = false
    }

    /// A scan that continues what an earlier one left unread.
    ///
    /// - Parameter restarts: true when there is no page to resume at. The scan then begins at the log's first page and
    ///   covers everything up to now.
    package init(resuming gap: ScanGap, overlap: Duration, restarts: Bool, at now: Timestamp) {
        range = restarts ? ScanRange(from: gap.range.from, to: now) : gap.range
        self.overlap = overlap
        started = restarts ? now : gap.started
        assumedNewestFirst = !restarts && gap.newestFirst
        gapID = gap.id
    }

    /// Notes a page's address before it is fetched.
    ///
    /// - Returns: false when this scan has fetched it before, so that the paging runs in a circle.
    package mutating func enter(_ url: String) -> Bool {
        visited.insert(url).inserted
    }

    /// Takes a page's times in page order and returns the scan's progress.
    ///
    /// - Parameters:
    ///   - next: the next page's address; nil at the end of the log.
    ///   - isCut: true when there is a next page that cannot be asked for. What it would show stays unread.
    package mutating func take(_ times: [Timestamp], next: String?, isCut: Bool = false) -> ScanProgress {
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
        guard next != nil || isCut, !nothingOlderMatters(times) else { return progress }
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

    /// True when the whole page lies before the range, or its oldest entry lies before it by more than the overlap. An
    /// idle log then costs one request.
    private func nothingOlderMatters(_ times: [Timestamp]) -> Bool {
        guard isNewestFirst, let oldest = times.min(), let youngest = times.max() else { return false }
        return youngest < range.from || oldest < range.from - overlap
    }
}
