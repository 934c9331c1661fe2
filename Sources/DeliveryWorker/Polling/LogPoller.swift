import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration
import ServiceLifecycle

/// What a turn of polling one endpoint's log read and changed, in counts.
struct PollSummary: Sendable, Equatable {
    var pages = 0
    var entries = 0
    var new = 0
    var delivered = 0
    var failedAgain = 0
    var unreadable = 0
    /// What the pages made of the endpoint's circuit, in the end; nil: it stays as it was.
    var circuit: EndpointCircuit.Action?
    /// The turn's time was over before the log was read; the rest is remembered.
    var isUnfinished = false

    var changedSomething: Bool { new + delivered + failedAgain + unreadable > 0 || isUnfinished || circuit != nil }

    mutating func add(_ page: LogPage, _ ingested: IngestSummary) {
        pages += 1
        entries += page.items.count
        new += ingested.new
        delivered += ingested.delivered
        failedAgain += ingested.failedAgain
        unreadable += ingested.unreadable
        circuit = ingested.circuit ?? circuit
    }
}

/// Reads one endpoint's log into the queue, without gaps: a page at a time, rows and progress together.
struct LogPoller: Sendable {
    let store: QueueStore
    let client: ProviderClient
    let gate: SharedGate
    let endpoint: WorkerConfiguration.Endpoint
    let poll: WorkerConfiguration.Poll
    let rules: RetryRules
    var disk = DiskRoom.endless
    let wallClock: WallClock
    let logger: Logger

    /// A turn ends after this time; a longer log is worked off in later turns, so that no endpoint's loop is ever busy
    /// for long before it reports.
    static let turnLimit = Duration.seconds(45)
    /// A clock that goes back by less during a turn tells no wrong time that would matter.
    private static let smallStep = Duration.seconds(60)

    /// One turn: what the last scan left unread, what is new, then older gaps. A log that is not newest-first is gone on
    /// with where the last turn stopped, because its newest entries stand at the end.
    ///
    /// - Throws: `ProviderError`, `PagingCircle`, `DiskShortage` or `StoreError`; the pages read before it are stored.
    func runOnce(at now: Timestamp) async throws -> PollSummary {
        if let shortage = await shortage(at: now) { throw shortage }
        do {
            let summary = try await read(until: now + Self.turnLimit, at: now)
            try await store.recordPoll(of: endpoint.id, error: nil, at: now)
            if summary.changedSomething { log(summary) }
            return summary
        } catch let error as ProviderError {
            let failed = wallClock.now
            await gate.with { $0.learn(from: error, at: failed) }
            try await store.recordPoll(of: endpoint.id, error: error.description, at: failed)
            throw error
        } catch let error as PagingCircle {
            try await store.recordPoll(of: endpoint.id, error: error.description, at: wallClock.now)
            throw error
        }
    }

    /// Whether the disk has no room for a page; `redeliver status` then shows that as the reason why the log is not read.
    func shortage(at now: Timestamp) async -> DiskShortage? {
        guard let shortage = await disk.shortage() else { return nil }
        // A disk without any room refuses this too; our log and the metrics tell it.
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
        // The last scan's own gap is ended before a new scan begins, or taken over by it: otherwise a log that is slow to
        // read, or has a page that stays unreadable, would get one more gap with every turn.
        let recent = plan.gaps.last { $0.range.from >= plan.range.from - poll.overlap }
        if let recent, recent.resumeURL != nil {
            try await resume(recent, restartsAfter: { _ in true }, until: deadline, at: now, into: &summary)
        }
        if !summary.isUnfinished {
            let taken = recent?.resumeURL == nil ? recent : nil
            var scan = LogScan(range: plan.range, overlap: poll.overlap, started: now, takingOver: taken)
            try await run(&scan, from: nil, until: deadline, into: &summary)
        }
        // The first of the others gets a page in any case, or a busy log would keep it waiting for ever.
        for (index, gap) in plan.gaps.filter({ $0.id != recent?.id }).enumerated()
        where index == 0 || wallClock.now < deadline {
            try await resume(gap, until: deadline, at: now, into: &summary)
        }
        return summary
    }

    private func plan(at now: Timestamp) async throws -> ScanPlan {
        let plan = try await store.scanPlan(of: endpoint.id, overlap: poll.overlap, at: now)
        // Before anything was read of it: the endpoint was first seen when our clock was ahead.
        guard plan.isFirst, plan.historyFrom > now - poll.initialLookback else { return plan }
        try await store.beginHistory(of: endpoint.id, at: now - poll.initialLookback)
        return try await store.scanPlan(of: endpoint.id, overlap: poll.overlap, at: now)
    }

    /// Goes on where a gap says. When that page is gone, the next turn begins at the first page again.
    private func resume(
        _ gap: ScanGap, restartsAfter isPageGone: (ProviderError) -> Bool = \.isAboutThePage,
        until deadline: Timestamp, at now: Timestamp, into summary: inout PollSummary
    ) async throws {
        let link = gap.resumeURL.flatMap(client.pageLink(to:))
        // One that began when our clock was ahead does not say what of the log is read by now.
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
            // Told at once: the rest of a long log need not be read to know that the provider is back.
            let answered = wallClock.now
            await gate.with { $0.logAnswered(at: answered) }
            // The first answer told that our clock is ahead: what was planned by it is not to be stored.
            guard answered + Self.smallStep >= scan.started else { throw ClockPutBack() }
            let progress = scan.take(page.items.compactMap(\.time), next: page.next?.url)
            let ingested = try await store.ingest(observed(page, progress), rules: rules, at: wallClock.now)
            scan.keep(gapID: ingested.gapID)
            summary.add(page, ingested)
            guard progress.unread != nil, let next = page.next else { return }
            guard wallClock.now < deadline, !Task.isShuttingDownGracefully, await disk.shortage() == nil else {
                summary.isUnfinished = true
                return
            }
            link = next
        }
    }

    private func observed(_ page: LogPage, _ progress: ScanProgress) -> ObservedPage {
        var observations: [Observation] = []
        var unreadable: [UnreadableObservation] = []
        for item in page.items {
            switch item {
            case .entry(let entry):
                observations.append(Observation(entry, defaultWebhookID: endpoint.webhookID ?? endpoint.id))
            case .unreadable(let entry):
                unreadable.append(UnreadableObservation(entry))
            }
        }
        return ObservedPage(
            endpointID: endpoint.id, observations: observations, unreadable: unreadable, progress: progress)
    }

    private func log(_ summary: PollSummary) {
        switch summary.circuit {
        case .hold:
            logger.warning(
                "circuit opened: the receiver fails for all deliveries, which are held; one at a time is tried",
                metadata: ["endpoint": "\(endpoint.name)"])
        case .release:
            logger.notice(
                "circuit closed: the receiver is back, what was held is due", metadata: ["endpoint": "\(endpoint.name)"]
            )
        case nil: break
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

/// Our clock went back during a turn of polling: the next turn begins by the right time.
struct ClockPutBack: Error, CustomStringConvertible {
    var description: String { "read log: our clock was put back meanwhile; the next turn reads the same again" }
}

/// A log whose `next` leads back to a page of the same scan: reading on would never end.
struct PagingCircle: Error, CustomStringConvertible {
    let endpoint: String

    var description: String {
        "read log of endpoint \(endpoint): its paging leads back to a page already read; what was read is stored, the"
            + " next turn begins at the first page again"
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
