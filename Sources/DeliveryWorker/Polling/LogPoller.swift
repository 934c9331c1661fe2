import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration
import ServiceLifecycle

/// Reads one endpoint's log into the queue, page by page. Rows and progress are stored together, so that no gap is
/// left.
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
    /// Whether our clock was compared with the provider's since the start; see `ProviderClock.isCompared`.
    var isClockCompared: @Sendable () -> Bool = { true }
    /// The endpoints whose links are known to lead elsewhere.
    var strayLinks = SaidOnce()
    /// The endpoints of whose odd bodies the log has told.
    var oddBodies = SaidOnce()
    /// The endpoints whose log times are known to be of another zone.
    var zones = SaidOnce()
    let logger: Logger

    /// The longest turn. Later turns read the rest of a longer log, so every loop reports often.
    static let turnLimit = Duration.seconds(45)
    /// Old rows that lie behind so many pages are read again by a deep look only.
    static let usualDepth = 20
    /// While a deep look goes on or a gap is to be read, a usual look reads old rows again for so long only. Otherwise
    /// a slow log's deep rows would never be reached, and its gaps by a page in each turn.
    private static let shortReread = Duration.seconds(15)
    /// The clock may go back by this much during a turn without harm.
    static let smallStep = Duration.seconds(60)

    /// One turn: looks at what is new and at old rows about which a decision waits, then fills older gaps. Where the
    /// newest do not come first, a turn goes on with the pass of the one before.
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
            await gate.with { $0.take(error, of: endpoint.id, at: failed) }
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
            try await continuePass(gap, plan, for: purpose, until: deadline, at: now, into: &summary)
        } else {
            let absorbed = plan.absorbedGap(overlap: poll.overlap, at: now)
            let scan = LogScan(
                range: plan.range, rereadFrom: plan.rereadFrom(at: now), leavesOldRows: plan.leavesOldRows,
                overlap: poll.overlap,
                started: now, takingOver: absorbed, newestFirst: await coverage.isNewestFirst(endpoint.id))
            let gaps = plan.gaps.filter { $0.id != absorbed?.id && $0.isDue(at: now) }
            let isMoreToRead =
                await coverage.rest(of: endpoint.id)?.next != nil
                || (!isDeep && gaps.contains { !$0.isSecond })
            try await look(
                scan, plan, for: purpose, isDeep: isDeep, until: deadline,
                rereadingUntil: isMoreToRead ? now + Self.shortReread : deadline, into: &summary)
            try await fill(gaps.filter { !$0.isSecond }, until: deadline, at: now, into: &summary)
            try await continueDeepLook(plan, until: deadline, into: &summary)
            try await fill(gaps.filter(\.isSecond), until: deadline, at: now, into: &summary)
        }
        summary.hasRest = await coverage.rest(of: endpoint.id) != nil
        return summary
    }

    private func plan(_ rows: Reread, at now: Timestamp) async throws -> ScanPlan {
        func plan() async throws -> ScanPlan {
            try await store.scanPlan(
                of: endpoint.id, overlap: poll.overlap, rereading: rows, rules: rules, at: now)
        }
        let first = try await plan()
        let isPutRight = try await putRight(first, at: now)
        if first.gaps.count > 1 { try await store.joinGaps(of: endpoint.id, at: now) }
        return isPutRight || first.gaps.count > 1 ? try await plan() : first
    }

    // MARK: - Looks

    /// Reads from the log's first page. What it reads allows calls, whatever it leaves unread: a gap keeps from being
    /// called what it may hold.
    private func look(
        _ first: LogScan, _ plan: ScanPlan, for purpose: PagePurpose, isDeep: Bool, until deadline: Timestamp,
        rereadingUntil: Timestamp, into summary: inout PollSummary
    ) async throws {
        guard try await budget.turn(for: purpose, of: endpoint.id) else { return }
        let requested = coverage.now
        let before = summary.pages
        var scan = first
        let end = try await readPages(
            &scan, from: nil, for: purpose, rereading: isDeep ? nil : Self.usualDepth, until: deadline,
            rereadingUntil: rereadingUntil, into: &summary)
        if let fault = end.fault {
            guard summary.pages > before else { throw fault }
            // The provider has just answered: a bad page behind the first is no outage and keeps nothing else from
            // being read.
            summary.trouble = "\(fault)"
            try await keepUnread(scan, plan, end, fault, until: deadline, into: &summary)
        }
        let isLeft =
            end.fault == nil
            && ((!scan.isNewestFirst && !end.isWhole) || (isDeep && end.isWhole && !end.hasReread))
        if scan.isNewestFirst || end.isWhole {
            let rest = Coverage.Rest(scan: scan, requested: requested, openings: plan.openings)
            // One that new rows have cut short read no old ones: the next one is deep again.
            await took(rest, end, isDeep: isDeep && (isLeft || end.hasReread || end.fault != nil))
        }
        if !isLeft, await coverage.rest(of: endpoint.id)?.next != nil { return }
        let rest = Coverage.Rest(
            scan: scan, next: scan.isNewestFirst ? end.next : nil, requested: requested, openings: plan.openings,
            isDisturbed: end.isDisturbed)
        await coverage.keep(isLeft ? rest : nil, of: endpoint.id)
    }

    /// Keeps what a look could not read as unread, to be read again later.
    private func keepUnread(
        _ scan: LogScan, _ plan: ScanPlan, _ end: PagesRead, _ fault: any Error, until deadline: Timestamp,
        into summary: inout PollSummary
    ) async throws {
        if let id = scan.gapID {
            guard let gap = try await store.gap(id: id, of: endpoint.id) else { return }
            return try await leaveOut(end.next, of: gap, fault, until: deadline, into: &summary)
        }
        guard plan.rowsMayChange, scan.isNewestFirst, let from = plan.rereadFrom(at: scan.started),
            let to = scan.readDownTo, from < to
        else { return }
        try await store.leaveGap(
            of: endpoint.id, ScanRange(from: from, to: to), resumeURL: end.next?.url, at: wallClock.now)
    }

    /// Notes what a look or a pass has read.
    func took(_ look: Coverage.Rest, _ end: PagesRead, isDeep: Bool) async {
        guard !end.isOutdated else { return }
        let isDisturbed = end.isDisturbed || look.isDisturbed
        await coverage.took(
            .init(
                requested: look.requested, ended: coverage.now,
                rowsSince: look.scan.rowsSince(isAtEnd: end.isAtEnd) ?? .distantFuture,
                cut: end.hasReread ? .none : end.isTooDeep ? .depth : .other,
                end: end.isAtEnd ? (isDisturbed ? .disturbed : .reached) : .notReached, isDeep: isDeep,
                openings: look.openings),
            isNewestFirst: look.scan.isNewestFirst, of: endpoint.id)
    }

    /// Goes on with a deep look that the end of its turn cut short, at least by a page. Nothing of it is a gap: all of
    /// it was read before.
    private func continueDeepLook(
        _ plan: ScanPlan, until deadline: Timestamp, into summary: inout PollSummary
    ) async throws {
        guard var rest = await coverage.rest(of: endpoint.id), let next = rest.next, await !isOutage else { return }
        await coverage.keep(nil, of: endpoint.id)
        let end = try await readPages(
            &rest.scan, from: next, for: .again, rereading: nil,
            until: summary.isUnfinished ? .distantPast : deadline, into: &summary)
        rest.isDisturbed = rest.isDisturbed || end.isDisturbed
        if let fault = end.fault {
            summary.trouble = "\(fault)"
            try await keepUnread(rest.scan, plan, end, fault, until: deadline, into: &summary)
        }
        if end.hasReread || end.fault != nil {
            await took(rest, end, isDeep: true)
        } else {
            rest.next = end.next
            await coverage.keep(rest, of: endpoint.id)
        }
    }
}

extension ScanPlan {
    /// Down to where old rows are read again; nil: none is. Not into a part that is put off, because its page cannot be
    /// read.
    fileprivate func rereadFrom(at now: Timestamp) -> Timestamp? {
        let unread = gaps.filter { $0.newestFirst && !$0.isSecond && !$0.isDue(at: now) }.map(\.range.to).max()
        return rereadFrom.map { max($0, unread ?? $0) }
    }

    /// The gap that a look reads as well, because it has no page to go on from and does not reach deeper.
    fileprivate func absorbedGap(overlap: Duration, at now: Timestamp) -> ScanGap? {
        gaps.last {
            $0.resumeURL == nil && !$0.isSecond && $0.isDue(at: now) && $0.range.from >= range.from - overlap
        }
    }
}

/// Our clock went back during a polling turn; the next turn begins with the right time.
struct ClockPutBack: Error, CustomStringConvertible {
    var description: String {
        "read log: this machine's clock was put back; the next turn reads the same entries again"
    }
}
