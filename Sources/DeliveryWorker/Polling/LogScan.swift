package import DeliveryQueue

/// Decides how far to page through a log. Pure: it gets each page's times, one page after the other.
///
/// A newest-first log is read until nothing older can matter; a log in any other order is read to the end. Newest first
/// may be the rows' creation or their last change: each is judged by itself.
package struct LogScan: Sendable, Equatable {
    package let range: ScanRange
    /// Old rows are read again from this time on; nil: none.
    private let rereadFrom: Timestamp?
    /// Whether old rows about which a decision waits lie too deep for it.
    private let leavesOldRows: Bool
    private let overlap: Duration
    /// Whether the scan ends where it meets rows that were stored before it began. Not where it fills a gap: what it
    /// meets there may have been read after the gap was left.
    private var stopsAtKnown: Bool
    /// Whether it goes on in the middle of a log. Then it says nothing about the log's silence, except at the log's
    /// end.
    private let isResumed: Bool
    /// Whether its range is to be read once more when it ends, unless the provider counts its entries.
    private let walksAgain: Bool
    private var hasCounts = false
    /// By our clock.
    package let started: Timestamp
    /// The gap under which the store keeps this scan; nil before its first page.
    package private(set) var gapID: Int64?
    private var byCreation: RowOrder
    private var byChange: RowOrder
    private var visited: Set<String> = []

    /// A new scan of a range.
    ///
    /// - Parameters:
    ///   - rereadFrom: see `ScanPlan`.
    ///   - gap: an earlier scan's gap that this scan covers too and replaces.
    ///   - newestFirst: whether an earlier scan has proven the order.
    package init(
        range: ScanRange, rereadFrom: Timestamp? = nil, leavesOldRows: Bool = false, overlap: Duration,
        started: Timestamp, takingOver gap: ScanGap? = nil, newestFirst: Bool = false
    ) {
        self.range = ScanRange(from: min(range.from, gap?.range.from ?? range.from), to: range.to)
        self.rereadFrom = rereadFrom
        self.leavesOldRows = leavesOldRows
        gapID = gap?.id
        stopsAtKnown = gap == nil
        isResumed = false
        // What lies within the overlap is read again anyway. The range begins an overlap before what was read.
        walksAgain = self.range.to - self.range.from > overlap * 2
        self.overlap = overlap
        self.started = started
        byCreation = RowOrder(overlap: overlap, isAssumed: newestFirst)
        byChange = byCreation
    }

    /// A scan that continues what an earlier one left unread.
    ///
    /// - Parameter restarts: true when there is no page to resume at. The scan then begins at the log's first page.
    package init(resuming gap: ScanGap, overlap: Duration, restarts: Bool, at now: Timestamp) {
        // What is above the gap of a newest-first log was read; of any other log nothing is known.
        range = restarts && !gap.newestFirst ? ScanRange(from: gap.range.from, to: now) : gap.range
        rereadFrom = nil
        leavesOldRows = false
        stopsAtKnown = false
        isResumed = true
        walksAgain = !gap.isSecond
        self.overlap = overlap
        started = restarts ? now : gap.started
        gapID = gap.id
        byCreation = RowOrder(overlap: overlap, isAssumed: !restarts && gap.newestFirst)
        byChange = byCreation
    }

    /// Notes a page's address before it is fetched.
    ///
    /// - Returns: false when this scan has fetched it before, so that the paging runs in a circle.
    package mutating func enter(_ url: String) -> Bool {
        visited.insert(url).inserted
    }

    /// How many pages were begun.
    package var pages: Int { visited.count }

    /// Takes a page's times in page order and returns the scan's progress.
    ///
    /// - Parameters:
    ///   - address: of the page; nil: the log's first page.
    ///   - next: the next page's address; nil at the end of the log.
    ///   - isCut: true when there is a next page that cannot be asked for. What it would show stays unread.
    ///   - isCounted: whether the page says how many entries there are. Then deletions are noticed.
    package mutating func take(
        _ rows: [RowTimes], at address: String? = nil, next: String?, isCut: Bool = false, isCounted: Bool = true
    ) -> ScanProgress {
        hasCounts = hasCounts || isCounted
        for row in rows {
            byCreation.take(row.logged)
            byChange.take(row.changed)
        }
        var progress = ScanProgress(
            gapID: gapID, started: started, newest: newest, newestFirst: isNewestFirst,
            stopsAtKnown: stopsAtKnown && isNewestFirst && endsBelowHead(rows),
            walksAgain: walksAgain && !hasCounts && isNewestFirst && (isResumed || pages > 1))
        guard next != nil || isCut else { return progress }
        progress.hasReread =
            !leavesOldRows && (rereadFrom.map { isByChange || (isNewestFirst && isRead(downTo: $0)) } ?? !isResumed)
        progress.lastURL = address
        guard !isNewestFirst || !nothingOlderMatters(rows) else { return progress }
        progress.resumeURL = next
        let readDownTo = readDownTo ?? range.to
        progress.unread = ScanRange(from: range.from, to: max(range.from, min(readDownTo, range.to)))
        return progress
    }

    /// Our clock was put back while it ran: what it meets may look as if it was stored before.
    package mutating func distrustKnown() { stopsAtKnown = false }

    /// Whether a page begins the log anew: it has the newest row of all, and none as old as what was read last. By
    /// creation where that is the order: an old row may have changed just now.
    package func wraps(at rows: [RowTimes]) -> Bool {
        let watched = isByChange ? byChange : byCreation
        let times = rows.compactMap { isByChange ? $0.changed : $0.logged }
        guard isNewestFirst, let newest = watched.newest, let down = watched.readDownTo, let oldest = times.min(),
            let youngest = times.max()
        else { return false }
        return youngest >= newest && oldest > down + Self.second
    }

    /// Whether old rows are to be read again.
    package var rereads: Bool { rereadFrom != nil }

    /// Remembers the gap under which the store keeps this scan.
    package mutating func keep(gapID: Int64?) {
        self.gapID = gapID
    }

    package var isNewestFirst: Bool { order != nil }

    /// Rows that were made from this time on were read by the scan without a gap; nil: none. `Timestamp.distantPast`
    /// where no other row can matter.
    ///
    /// - Parameter isAtEnd: whether it has read all rows there are.
    package func rowsSince(isAtEnd: Bool) -> Timestamp? {
        if isByChange { return .distantPast }
        return isAtEnd ? byCreation.lowest ?? .distantPast : readDownTo
    }

    /// Down to where it has read; nil: its order is not known.
    package var readDownTo: Timestamp? { fitting?.readDownTo }

    /// By which of its rows' times a log is newest first.
    private enum Order {
        case creation
        case change
        /// The rows so far fit both.
        case either
    }

    /// What the rows have proven; nil: they are not newest first, or not enough of them were seen.
    private var order: Order? {
        switch (byCreation.isNewestFirst, byChange.isNewestFirst) {
        case (true, true): .either
        case (true, false): .creation
        case (false, true): .change
        case (false, false): nil
        }
    }

    /// Whether the rows are surely ordered by their last change. A row that has changed then stands among what is new,
    /// and none needs to be read again.
    private var isByChange: Bool { order == .change }

    /// Whether the rows count by their last change. Where they fit both orders, the one that fits better is the log's:
    /// a few rows that have changed within the overlap look like late ones. Where both fit alike, a change says less of
    /// the rows that follow, which is safe.
    private var goesByChange: Bool {
        switch order {
        case .change: true
        case .either: byChange.rises <= byCreation.rises
        case .creation, nil: false
        }
    }

    /// The times by which the rows count; nil: their order is not proven.
    private var fitting: RowOrder? { order.map { _ in goesByChange ? byChange : byCreation } }

    /// The newest time, by which the next scan begins. Where either order may be the log's, the lesser one: it reads
    /// more.
    private var newest: Timestamp? { fitting?.newest ?? [byCreation.newest, byChange.newest].compactMap(\.self).min() }

    private func time(_ row: RowTimes) -> Timestamp? { goesByChange ? row.changed : row.logged }

    /// True when the whole page lies before the range, or its oldest entry lies before it by more than the overlap. An
    /// idle log then costs one request.
    private func nothingOlderMatters(_ rows: [RowTimes]) -> Bool {
        let times = rows.compactMap(time)
        guard let oldest = times.min(), let youngest = times.max() else { return false }
        return youngest < range.from || oldest < range.from - overlap
    }

    /// Rows of one second may stand in any order, and new ones among those that were read. Below that second there is
    /// none.
    private static let second = Duration.seconds(1)

    /// Whether a page ends clearly below the newest row that was read before this scan.
    private func endsBelowHead(_ rows: [RowTimes]) -> Bool {
        guard let last = rows.last.flatMap(time) else { return false }
        return last < range.from + overlap - Self.second
    }

    private func isRead(downTo time: Timestamp) -> Bool { readDownTo.map { $0 < time } ?? false }
}
