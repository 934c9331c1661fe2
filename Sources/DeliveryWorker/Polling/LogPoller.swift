import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration
import ServiceLifecycle

/// Reads one endpoint's log into the queue, page by page. Rows and progress are stored together, so that no gap is left.
struct LogPoller: Sendable {
    let store: QueueStore
    let client: ProviderClient
    let gate: SharedGate
    let coverage: Coverage
    let budget: RequestBudget
    let endpoint: WorkerConfiguration.Endpoint
    let poll: WorkerConfiguration.Poll
    let rules: RetryRules
    var disk = DiskRoom.endless
    let wallClock: WallClock
    /// The endpoints whose links are known to lead elsewhere.
    var strayLinks = SaidOnce()
    let logger: Logger

    /// The longest turn. Later turns read the rest of a longer log, so every loop reports often.
    static let turnLimit = Duration.seconds(45)
    /// Old rows that lie behind so many pages are read again by a deep look only.
    static let usualDepth = 20
    /// The clock may go back by this much during a turn without harm.
    private static let smallStep = Duration.seconds(60)

    /// One turn: looks at what is new and at old rows about which a decision waits, then reads older gaps. In a log that
    /// is not newest-first the newest entries stand at the end, so the turn continues where the last one stopped.
    ///
    /// - Parameter purpose: why it is read now.
    /// - Throws: `ProviderError`, `PagingFault`, `DiskShortage` or `StoreError`; pages read before are stored.
    func runOnce(at now: Timestamp, for purpose: PagePurpose = .new) async throws -> PollSummary {
        if let shortage = await shortage(at: now) { throw shortage }
        do {
            let summary = try await read(until: now + Self.turnLimit, for: purpose, at: now)
            try await store.recordPoll(
                of: endpoint.id, error: summary.trouble, isPartial: summary.trouble != nil || summary.isPutOff, at: now)
            if summary.changedSomething { log(summary) }
            return summary
        } catch let error as ProviderError {
            let failed = wallClock.now
            await gate.with { $0.take(error, at: failed) }
            try await store.recordPoll(of: endpoint.id, error: error.description, at: failed)
            throw error
        } catch let error as PagingFault {
            try await store.recordPoll(of: endpoint.id, error: error.description, at: wallClock.now)
            throw error
        }
    }

    /// nil when the disk has room for a page. `redeliver status` shows a shortage as the reason for an unread log.
    func shortage(at now: Timestamp) async -> DiskShortage? {
        guard let shortage = await disk.shortage() else { return nil }
        // A full disk refuses this write too. Our log and the metrics report the shortage anyway.
        try? await store.recordPoll(of: endpoint.id, error: shortage.description, at: now)
        return shortage
    }

    private func read(
        until deadline: Timestamp, for purpose: PagePurpose, at now: Timestamp
    ) async throws -> PollSummary {
        var summary = PollSummary()
        let (isDeep, rows) = await coverage.reread(endpoint.id)
        let plan = try await plan(rows, at: now)
        summary.isPutOff = plan.gaps.contains { !$0.isDue(at: now) }
        if let gap = plan.gaps.first(where: { !$0.newestFirst }) {
            try await goOn(with: gap, plan, for: purpose, until: deadline, at: now, into: &summary)
            return summary
        }
        // A gap without a page to go on from is read from the top, so the look reads it too.
        let taken = plan.gaps.last {
            $0.resumeURL == nil && $0.isDue(at: now) && $0.range.from >= plan.range.from - poll.overlap
        }
        let scan = LogScan(
            range: plan.range, rereadFrom: plan.rereadFrom, overlap: poll.overlap, started: now, takingOver: taken,
            newestFirst: await coverage.isNewestFirst(endpoint.id))
        try await look(scan, plan, for: purpose, isDeep: isDeep, until: deadline, into: &summary)
        // The first older gap always gets a page, or a busy log would starve it.
        for (index, gap) in plan.gaps.filter({ $0.id != taken?.id && $0.isDue(at: now) }).enumerated()
        where index == 0 || wallClock.now < deadline {
            try await resume(gap, until: deadline, at: now, into: &summary)
        }
        try await goOnDeep(plan, until: deadline, into: &summary)
        return summary
    }

    private func plan(_ rows: Reread, at now: Timestamp) async throws -> ScanPlan {
        func plan() async throws -> ScanPlan {
            try await store.scanPlan(
                of: endpoint.id, overlap: poll.overlap, rereading: rows, rules: rules, at: now)
        }
        let first = try await plan()
        return try await putRight(first, at: now) ? try await plan() : first
    }

    // MARK: - Looks

    /// Reads from the log's first page. What it reads allows calls, whatever it leaves unread: a gap keeps from being
    /// called what it may hold.
    private func look(
        _ first: LogScan, _ plan: ScanPlan, for purpose: PagePurpose, isDeep: Bool, until deadline: Timestamp,
        into summary: inout PollSummary
    ) async throws {
        guard try await budget.turn(for: purpose, of: endpoint.id) else { return }
        let requested = coverage.now
        let before = summary.pages
        var scan = first
        var end = Reading()
        do {
            end = try await run(
                &scan, from: nil, for: purpose, pages: isDeep ? nil : Self.usualDepth, until: deadline, into: &summary)
        } catch let error where summary.pages > before && Self.isAboutAPage(error) {
            // The provider has just answered: a bad page behind the first is no outage and keeps nothing else from being read.
            summary.trouble = "\(error)"
            if let id = scan.gapID, let gap = try await store.gap(id: id, of: endpoint.id) {
                try await putOff(gap, error)
            }
            if scan.isNewestFirst { await took(scan, requested, plan, isAtEnd: false, isCut: true, isDeep: isDeep) }
            return
        }
        if scan.isNewestFirst || end.isWhole {
            await took(scan, requested, plan, isAtEnd: end.isAtEnd, isCut: !end.hasReread, isDeep: isDeep)
        }
        let isLeft = (!scan.isNewestFirst && !end.isWhole) || (isDeep && end.isWhole && !end.hasReread)
        if !isLeft, await coverage.rest(of: endpoint.id)?.next != nil { return }
        await coverage.keep(isLeft ? .init(scan: scan, next: end.next, requested: requested) : nil, of: endpoint.id)
    }

    /// Whether an error concerns a page, and neither the provider as a whole nor this machine.
    static func isAboutAPage(_ error: any Error) -> Bool {
        switch error {
        case let error as ProviderError: !error.isAboutTheCredential
        default: error is PagingFault
        }
    }

    func took(
        _ scan: LogScan, _ requested: Duration, _ plan: ScanPlan, isAtEnd: Bool, isCut: Bool, isDeep: Bool
    ) async {
        await coverage.took(
            .init(
                requested: requested, ended: coverage.now,
                rowsSince: scan.rowsSince(isAtEnd: isAtEnd) ?? .distantFuture, isCut: isCut, isDeep: isDeep,
                openings: plan.openings),
            isNewestFirst: scan.isNewestFirst, of: endpoint.id)
    }

    /// Goes on with a deep look that the end of its turn cut short. Nothing of it is a gap: all of it was read before.
    private func goOnDeep(
        _ plan: ScanPlan, until deadline: Timestamp, into summary: inout PollSummary
    ) async throws {
        guard !summary.isUnfinished, wallClock.now < deadline, var rest = await coverage.rest(of: endpoint.id),
            let next = rest.next
        else { return }
        await coverage.keep(nil, of: endpoint.id)
        let end: Reading
        do {
            end = try await run(
                &rest.scan, from: next, for: .again, pages: nil, until: deadline, into: &summary)
        } catch  where Self.isAboutAPage(error) {
            summary.trouble = "\(error)"
            return
        }
        if end.hasReread {
            await took(rest.scan, rest.requested, plan, isAtEnd: end.isAtEnd, isCut: false, isDeep: true)
        } else {
            rest.next = end.next
            await coverage.keep(rest, of: endpoint.id)
        }
    }

    // MARK: - Pages

    /// How a reading ended.
    struct Reading {
        /// Whether everything that had to be read was read.
        var isWhole = false
        /// Whether the old rows were read again that should be.
        var hasReread = false
        /// Whether the log has no older page.
        var isAtEnd = false
        /// The page to go on from.
        var next: PageLink?
    }

    /// Reads pages until nothing is left to read, or time is up.
    ///
    /// - Parameter pages: old rows are read again on so many pages at most; nil: on all.
    func run(
        _ scan: inout LogScan, from start: PageLink?, for purpose: PagePurpose, pages: Int?,
        until deadline: Timestamp, into summary: inout PollSummary
    ) async throws -> Reading {
        var link = start
        var paging = Paging()
        var purpose = purpose
        var end = Reading()
        var last: (link: PageLink?, count: Int?, progress: ScanProgress)?
        while true {
            guard scan.enter(link?.url ?? "") else {
                if let gapID = scan.gapID { try await store.restartGap(id: gapID) }
                throw PagingFault(endpoint: endpoint.name, kind: .circle)
            }
            if link != nil, try await !budget.turn(for: purpose, of: endpoint.id) { return end }
            let page = try await client.logs(of: endpoint.id, at: link)
            // At once: one page shows that the provider is back, whatever follows in a long log.
            let answered = wallClock.now
            await gate.with { $0.logAnswered(at: answered) }
            // This answer showed that our clock was ahead. The plan is wrong, so nothing of it is stored.
            guard answered + Self.smallStep >= scan.started else { throw ClockPutBack() }
            if let correction = page.nextCorrection { say(correction) }
            if let last, let before = last.count, let count = page.count, count < before {
                try await readAgain(at: last.link, last.progress, into: &summary)
            }
            let next = page.next == link ? nil : page.next
            let rows = PageRows(page.items)
            let progress = scan.take(rows.times, next: next?.url, isCut: page.nextFault != nil)
            let ingested = try await store.ingest(
                observed(page, progress, purpose), rules: rules, at: wallClock.now)
            scan.keep(gapID: ingested.gapID)
            summary.add(page, ingested)
            last = (link, page.count, progress.under(gapID: ingested.gapID))
            end = Reading(
                isWhole: ingested.gapID == nil, hasReread: ingested.gapID == nil && progress.hasReread,
                isAtEnd: next == nil && page.nextFault == nil, next: next)
            if let fault = page.nextFault, !end.isWhole { throw fault }
            guard let next, !end.isWhole || (scan.rereads && !end.hasReread) else { return end }
            if end.isWhole { purpose = .again }
            if end.isWhole, let pages, scan.pages >= pages { return end }
            guard paging.goesOn(after: rows) else { throw PagingFault(endpoint: endpoint.name, kind: .standstill) }
            guard wallClock.now < deadline, !Task.isShuttingDownGracefully, await disk.shortage() == nil else {
                if !end.isWhole { summary.isUnfinished = true }
                return end
            }
            link = next
        }
    }

    /// Reads a page again after entries before its end were deleted: those behind it have moved up, and one of them stands
    /// on this page now and not on the next.
    private func readAgain(
        at link: PageLink?, _ progress: ScanProgress, into summary: inout PollSummary
    ) async throws {
        guard try await budget.turn(for: .again, of: endpoint.id) else { return }
        let page = try await client.logs(of: endpoint.id, at: link)
        summary.add(
            page, try await store.ingest(observed(page, progress, .again), rules: rules, at: wallClock.now))
    }

    func observed(_ page: LogPage, _ progress: ScanProgress, _ purpose: PagePurpose) -> ObservedPage {
        let entries = ObservedEntries(items: page.items, defaultWebhookID: endpoint.webhookID ?? endpoint.id)
        return ObservedPage(
            endpointID: endpoint.id, entries: entries, leftOut: page.items.leftOut, progress: progress,
            purpose: purpose)
    }
}

/// Our clock went back during a polling turn; the next turn begins with the right time.
struct ClockPutBack: Error, CustomStringConvertible {
    var description: String {
        "read log: this machine's clock was put back; the next turn reads the same entries again"
    }
}
