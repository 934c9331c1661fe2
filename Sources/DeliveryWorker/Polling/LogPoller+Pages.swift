import DeliveryQueue
import ProviderAPI
import RedeliverConfiguration
import ServiceLifecycle

/// How a reading of pages ended.
struct PagesRead {
    /// Whether everything that had to be read was read.
    var isWhole = false
    /// Whether the old rows were read again that should be.
    var hasReread = false
    /// Whether the log has no older page.
    var isAtEnd = false
    /// The page to go on from, or the one that could not be read; nil: there is none, or it is the first.
    var next: PageLink?
    /// Why a page could not be read; nil: all could.
    var fault: (any Error)?
    /// Whether entries were deleted meanwhile, or some were read that cannot be understood.
    var isDisturbed = false
    /// Whether the process was stopped meanwhile, or the machine slept. Then it says nothing of now.
    var isOutdated = false
    /// Whether it ended because old rows lie behind too many pages.
    var isTooDeep = false
}

/// Reads pages, one after the other.
extension LogPoller {
    /// So many pages are enough for a turn, however quickly they are read.
    static let mostPages = 2_000
    /// What an answer may take beside the time that the request may take: to be decoded and stored.
    private static let storing = Duration.seconds(15)

    /// Reads pages until nothing is left to read, time is up, or one cannot be read.
    ///
    /// - Parameters:
    ///   - deepest: old rows are read again on so many pages at most; nil: on all.
    ///   - least: so many pages are read however long they take, or slow pages would never be passed.
    ///   - early: when it ends at the latest once it only reads old rows again; nil: at the deadline.
    /// - Throws: what concerns the provider as a whole, or this machine.
    func readPages(
        _ scan: inout LogScan, from start: PageLink?, for purpose: PagePurpose, rereading deepest: Int?,
        least: Int = 1, until deadline: Timestamp, rereadingUntil early: Timestamp? = nil,
        into summary: inout PollSummary
    ) async throws -> PagesRead {
        var (link, purpose, paging) = (start, purpose, Paging())
        var end = PagesRead(next: start)
        var before: PageBefore?
        while true {
            let rows: PageRows
            do {
                guard try await mayAsk(for: link, purpose, &scan) else { return end }
                rows = try await readPage(link, &scan, &before, &end, for: purpose, into: &summary)
            } catch  where Self.isAboutAPage(error) {
                end.fault = error
                end.next = link
                return end
            }
            guard let next = end.next, end.fault == nil, !end.isWhole || (scan.rereads && !end.hasReread) else {
                return end
            }
            if end.isWhole { purpose = .again }
            if end.isWhole, let deepest, scan.pages >= deepest {
                end.isTooDeep = true
                return end
            }
            guard paging.goesOn(after: rows) else {
                end.fault = PagingFault(endpoint: endpoint.name, kind: .standstill)
                return end
            }
            let deadline = scan.pages < least ? Timestamp.distantFuture : deadline
            guard await hasRoom(for: summary, until: end.isWhole ? early ?? deadline : deadline) else {
                if !end.isWhole { summary.isUnfinished = true }
                return end
            }
            link = next
        }
    }

    /// Whether a turn may read one more page.
    private func hasRoom(for summary: PollSummary, until deadline: Timestamp) async -> Bool {
        guard wallClock.now < deadline, summary.pages < Self.mostPages, !Task.isShuttingDownGracefully else {
            return false
        }
        guard await !isOutage else { return false }
        return await disk.shortage() == nil
    }

    /// Whether an outage has begun meanwhile. Logs are read at the gate's pace then, and what is left of a turn waits
    /// too.
    var isOutage: Bool {
        get async { await gate.gate.closed == .outage }
    }

    /// Whether a page may be asked for. The log's first page had its turn before, when the reading was dated.
    ///
    /// - Throws: `PagingFault` where the paging runs in a circle.
    private func mayAsk(for link: PageLink?, _ purpose: PagePurpose, _ scan: inout LogScan) async throws -> Bool {
        guard scan.enter(link?.url ?? "") else {
            if let gapID = scan.gapID { try await store.restartGap(id: gapID, at: wallClock.now) }
            throw PagingFault(endpoint: endpoint.name, kind: .circle)
        }
        guard link != nil else { return true }
        return try await budget.turn(for: purpose, of: endpoint.id)
    }

    /// The page before, should it have to be read again.
    private struct PageBefore {
        let link: PageLink?
        let count: Int?
        let progress: ScanProgress
        let answered: Timestamp
    }

    /// Reads one page and stores it with the scan's progress.
    private func readPage(
        _ link: PageLink?, _ scan: inout LogScan, _ before: inout PageBefore?, _ end: inout PagesRead,
        for purpose: PagePurpose, into summary: inout PollSummary
    ) async throws -> PageRows {
        let began = coverage.now
        let page = try await ask(for: link, started: scan.started)
        let answered = wallClock.now
        if let before {
            if answered < before.answered { scan.distrustKnown() }
            if let old = before.count, let count = page.count, count < old {
                end.isDisturbed = true
                let isKnown = try await rereadPage(at: before.link, before.progress, into: &summary)
                // More than a page was deleted: rows that were not read have moved above that page too.
                if isKnown == false, before.link != nil {
                    if let gapID = scan.gapID { try await store.restartGap(id: gapID, at: wallClock.now) }
                    throw PagingFault(endpoint: endpoint.name, kind: .moved)
                }
            }
        }
        let next = page.next == link ? nil : page.next
        let rows = PageRows(page.items)
        // The page after, by its number, shows newer rows where the log has grown meanwhile. That is no circle.
        let isNextByNumber = link?.following != nil && (before?.link.map { $0.following == link } ?? true)
        guard isNextByNumber || !scan.wraps(at: rows.times) else {
            throw PagingFault(endpoint: endpoint.name, kind: .circle)
        }
        let progress = scan.take(
            rows.times, at: link?.url, next: next?.url, isCut: page.nextFault != nil, isCounted: page.count != nil)
        let ingested = try await store.ingest(observed(page, progress), rules: rules, at: wallClock.now)
        if let oddness = ingested.oddBody { say(oddness) }
        if let zone = ingested.zoneHint { say(zone: zone) }
        scan.keep(gapID: ingested.gapID)
        summary.add(page, ingested)
        before = PageBefore(
            link: link, count: page.count, progress: progress.under(gapID: ingested.gapID), answered: answered)
        end.isWhole = ingested.gapID == nil
        end.hasReread = end.isWhole && progress.hasReread
        end.isAtEnd = next == nil && page.nextFault == nil
        end.next = next
        if let fault = page.nextFault, !end.isWhole { end.fault = fault }
        if ingested.unreadable > 0 { end.isDisturbed = true }
        if await !coverage.step(since: began, limit: client.requestTimeout + Self.storing) { end.isOutdated = true }
        return rows
    }

    /// Asks the provider for a page. One answer shows that the provider is back, whatever follows in a long log.
    ///
    /// - Parameter started: our time at which the scan began.
    func ask(for link: PageLink?, started: Timestamp) async throws -> LogPage {
        let began = wallClock.now
        let page = try await client.logs(of: endpoint.id, at: link)
        let answered = wallClock.now
        await gate.with { $0.logRead(of: endpoint.id, with: page.grant, since: began, at: answered) }
        // This answer showed that our clock was ahead. The plan is wrong, so nothing of it is stored.
        guard answered + Self.smallStep >= started else { throw ClockPutBack() }
        if let correction = page.nextCorrection { say(correction) }
        return page
    }

    /// Reads a page again after entries before its end were deleted: those behind it have moved up, and one of them
    /// stands on this page now and not on the next.
    ///
    /// - Returns: whether its first row is one that was read before. nil: a stop has begun.
    @discardableResult
    func rereadPage(
        at link: PageLink?, _ progress: ScanProgress, into summary: inout PollSummary
    ) async throws -> Bool? {
        guard try await budget.turn(for: .again, of: endpoint.id) else { return nil }
        let page = try await ask(for: link, started: progress.started)
        let ingested = try await store.ingest(observed(page, progress), rules: rules, at: wallClock.now)
        summary.add(page, ingested)
        return ingested.beginsKnown
    }

    func observed(_ page: LogPage, _ progress: ScanProgress) -> ObservedPage {
        let entries = ObservedEntries(items: page.items, defaultWebhookID: endpoint.webhookID ?? endpoint.id)
        return ObservedPage(
            endpointID: endpoint.id, entries: entries, leftOut: page.items.leftOut, progress: progress)
    }

    /// Whether an error concerns a page, and neither the provider as a whole nor this machine.
    static func isAboutAPage(_ error: any Error) -> Bool {
        switch error {
        case let error as ProviderError: !error.isAboutTheCredential
        default: error is PagingFault
        }
    }
}
