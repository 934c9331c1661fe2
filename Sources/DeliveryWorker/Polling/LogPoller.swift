import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration
import ServiceLifecycle

/// Counts of one polling turn: what was read from one endpoint's log, and what changed.
struct PollSummary: Sendable, Equatable {
    var pages = 0
    var entries = 0
    var new = 0
    var delivered = 0
    var failedAgain = 0
    var unreadable = 0
    /// Whether unreadable entries are left out now, and were not in the last day.
    var beganToLeaveOut = false
    /// The last change of the endpoint's circuit in this turn; nil when it did not change.
    var circuit: EndpointCircuit.Action?
    /// True when the turn ended before the end of the log; the next turn continues there.
    var isUnfinished = false

    var changedSomething: Bool {
        new + delivered + failedAgain + unreadable > 0 || isUnfinished || beganToLeaveOut || circuit != nil
    }

    mutating func add(_ page: LogPage, _ ingested: IngestSummary) {
        pages += 1
        entries += page.items.count
        new += ingested.new
        delivered += ingested.delivered
        failedAgain += ingested.failedAgain
        unreadable += ingested.unreadable
        beganToLeaveOut = beganToLeaveOut || ingested.beganToLeaveOut
        circuit = ingested.circuit ?? circuit
    }
}

/// Reads one endpoint's log into the queue, page by page. Rows and progress are stored together, so that no gap is left.
struct LogPoller: Sendable {
    let store: QueueStore
    let client: ProviderClient
    let gate: SharedGate
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
    /// The clock may go back by this much during a turn without harm.
    private static let smallStep = Duration.seconds(60)

    /// One turn: reads what the last scan left unread, then new entries, then older gaps. In a log that is not
    /// newest-first the newest entries stand at the end, so the turn continues where the last one stopped.
    ///
    /// - Throws: `ProviderError`, `PagingCircle`, `DiskShortage` or `StoreError`; pages read before are stored.
    func runOnce(at now: Timestamp) async throws -> PollSummary {
        if let shortage = await shortage(at: now) { throw shortage }
        do {
            let summary = try await read(until: now + Self.turnLimit, at: now)
            try await store.recordPoll(of: endpoint.id, error: nil, at: now)
            if summary.changedSomething { log(summary) }
            return summary
        } catch let error as ProviderError {
            let failed = wallClock.now
            await gate.with { $0.take(error, at: failed) }
            try await store.recordPoll(of: endpoint.id, error: error.description, at: failed)
            throw error
        } catch let error as PagingCircle {
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

    private func read(until deadline: Timestamp, at now: Timestamp) async throws -> PollSummary {
        var summary = PollSummary()
        let plan = try await plan(at: now)
        if let gap = plan.gaps.first(where: { !$0.newestFirst }) {
            try await resume(gap, until: deadline, at: now, into: &summary)
            return summary
        }
        // The last scan's gap is closed before a new scan begins, or the new scan takes it over. Otherwise a slow log,
        // or a page that stays unreadable, would add one gap per turn.
        let recent = plan.gaps.last { $0.range.from >= plan.range.from - poll.overlap }
        if let recent, recent.resumeURL != nil {
            try await resume(recent, restartsAfter: { _ in true }, until: deadline, at: now, into: &summary)
        }
        if !summary.isUnfinished {
            let taken = recent?.resumeURL == nil ? recent : nil
            var scan = LogScan(range: plan.range, overlap: poll.overlap, started: now, takingOver: taken)
            try await run(&scan, from: nil, until: deadline, into: &summary)
        }
        // The first older gap always gets a page, or a busy log would starve it.
        for (index, gap) in plan.gaps.filter({ $0.id != recent?.id }).enumerated()
        where index == 0 || wallClock.now < deadline {
            try await resume(gap, until: deadline, at: now, into: &summary)
        }
        return summary
    }

    private func plan(at now: Timestamp) async throws -> ScanPlan {
        let plan = try await store.scanPlan(of: endpoint.id, overlap: poll.overlap, at: now)
        // The endpoint was first seen while our clock was ahead, and nothing of its log is read yet.
        guard plan.isFirst, plan.historyFrom > now - poll.initialLookback else { return plan }
        try await store.setHistoryStart(of: endpoint.id, to: now - poll.initialLookback)
        return try await store.scanPlan(of: endpoint.id, overlap: poll.overlap, at: now)
    }

    /// Continues a gap. When its page is gone, the next turn begins at the log's first page.
    private func resume(
        _ gap: ScanGap, restartsAfter isPageGone: (ProviderError) -> Bool = \.isAboutThePage,
        until deadline: Timestamp, at now: Timestamp, into summary: inout PollSummary
    ) async throws {
        let link = gap.resumeURL.flatMap(client.pageLink(to:))
        // A gap that began while our clock was ahead does not say what is read by now.
        let restarts = link == nil || gap.started > now
        var scan = LogScan(resuming: gap, overlap: poll.overlap, restarts: restarts, at: now)
        let pages = summary.pages
        do {
            try await run(&scan, from: restarts ? nil : link, until: deadline, into: &summary)
        } catch let error as ProviderError where link != nil && summary.pages == pages && isPageGone(error) {
            try await store.restartGap(id: gap.id)
            throw error
        }
    }

    private func run(
        _ scan: inout LogScan, from start: PageLink?, until deadline: Timestamp, into summary: inout PollSummary
    ) async throws {
        var link = start
        while true {
            guard scan.enter(link?.url ?? "") else {
                if let gapID = scan.gapID { try await store.restartGap(id: gapID) }
                throw PagingCircle(endpoint: endpoint.name)
            }
            let page = try await client.logs(of: endpoint.id, at: link)
            // At once: one page shows that the provider is back, whatever follows in a long log.
            let answered = wallClock.now
            await gate.with { $0.logAnswered(at: answered) }
            // This answer showed that our clock was ahead. The plan is wrong, so nothing of it is stored.
            guard answered + Self.smallStep >= scan.started else { throw ClockPutBack() }
            if let correction = page.nextCorrection { say(correction) }
            let progress = scan.take(
                page.items.compactMap(\.time), next: page.next?.url, isCut: page.nextFault != nil)
            let ingested = try await store.ingest(observed(page, progress), rules: rules, at: wallClock.now)
            scan.keep(gapID: ingested.gapID)
            summary.add(page, ingested)
            if let fault = page.nextFault, progress.unread != nil { throw fault }
            guard progress.unread != nil, let next = page.next else { return }
            guard wallClock.now < deadline, !Task.isShuttingDownGracefully, await disk.shortage() == nil else {
                summary.isUnfinished = true
                return
            }
            link = next
        }
    }

    private func observed(_ page: LogPage, _ progress: ScanProgress) -> ObservedPage {
        let entries = ObservedEntries(items: page.items, defaultWebhookID: endpoint.webhookID ?? endpoint.id)
        return ObservedPage(
            endpointID: endpoint.id, entries: entries, leftOut: page.items.leftOut, progress: progress)
    }

    private func say(_ correction: LinkCorrection) {
        guard strayLinks.isNew(endpoint.id) else { return }
        logger.notice(
            "the log's links to the next page do not lead to base_url; their path and query are followed there",
            metadata: [
                "endpoint": "\(endpoint.name)", "link.origin": "\(correction.origin ?? "as base_url")",
                "link.lacks": "\(correction.prefix ?? "nothing")",
            ])
    }

    private func log(_ summary: PollSummary) {
        switch summary.circuit {
        case .hold:
            logger.warning(
                "circuit opened: the receiver fails for all deliveries; they are held, and one at a time is tried",
                metadata: ["endpoint": "\(endpoint.name)"])
        case .release:
            logger.notice(
                "circuit closed: the receiver is back; held deliveries are due",
                metadata: ["endpoint": "\(endpoint.name)"]
            )
        case nil: break
        }
        if summary.beganToLeaveOut {
            logger.warning(
                "entries of the log that cannot be read are left out: as many as are kept for an endpoint are kept",
                metadata: ["endpoint": "\(endpoint.name)", "kept.limit": "\(QueueStore.unreadableLimit)"])
        }
        logger.info(
            "log read",
            metadata: [
                "endpoint": "\(endpoint.name)", "pages": "\(summary.pages)", "entries": "\(summary.entries)",
                "failures.new": "\(summary.new)", "delivered": "\(summary.delivered)",
                "failed.again": "\(summary.failedAgain)", "unreadable": "\(summary.unreadable)",
                "unfinished": "\(summary.isUnfinished)",
            ])
    }
}

/// Our clock went back during a polling turn; the next turn begins with the right time.
struct ClockPutBack: Error, CustomStringConvertible {
    var description: String {
        "read log: this machine's clock was put back; the next turn reads the same entries again"
    }
}

/// A log whose `next` leads back to a page of the same scan; reading on would never end.
struct PagingCircle: Error, CustomStringConvertible {
    let endpoint: String

    var description: String {
        "read log of endpoint \(endpoint): the next page is one that was read already; all pages read are stored, and the"
            + " next turn begins at the first page"
    }
}

extension LogPage.Item {
    /// The entry's newest time; nil when it has none.
    fileprivate var time: Timestamp? {
        switch self {
        case .entry(let entry): (entry.changedAt ?? entry.loggedAt).map(Timestamp.init(milliseconds:))
        case .unreadable(let entry): entry.loggedAt.map(Timestamp.init(milliseconds:))
        }
    }
}
