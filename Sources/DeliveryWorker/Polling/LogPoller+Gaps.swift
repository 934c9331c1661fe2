import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration

/// Reads what an earlier turn left unread.
extension LogPoller {
    /// Goes on with the pass through a log that is not newest first, or not known to be. While a page of it cannot be read,
    /// the first page is.
    func goOn(
        with gap: ScanGap, _ plan: ScanPlan, for purpose: PagePurpose, until deadline: Timestamp, at now: Timestamp,
        into summary: inout PollSummary
    ) async throws {
        guard gap.isDue(at: now) else {
            return try await peek(besides: gap, plan, for: purpose, at: now, into: &summary)
        }
        do {
            try await resumePass(gap, plan, until: deadline, at: now, into: &summary)
        } catch  where Self.isAboutAPage(error) {
            summary.trouble = "\(error)"
            try await putOff(gap, error)
        }
    }

    /// Its end allows calls, by the time of its beginning.
    private func resumePass(
        _ gap: ScanGap, _ plan: ScanPlan, until deadline: Timestamp, at now: Timestamp,
        into summary: inout PollSummary
    ) async throws {
        let began = await coverage.rest(of: endpoint.id)?.requested
        let restarted = coverage.now
        let (scan, end, isRestart) = try await readGap(gap, until: deadline, at: now, into: &summary)
        guard let requested = isRestart ? restarted : began else { return }
        let isLeft = !end.isWhole && !scan.isNewestFirst
        await coverage.keep(isLeft ? .init(scan: scan, next: nil, requested: requested) : nil, of: endpoint.id)
        if end.isWhole { await took(scan, requested, plan, isAtEnd: end.isAtEnd, isCut: false, isDeep: true) }
    }

    /// Stores what the first page shows. Where it proves that the newest come first, the gap is one of such a log from then
    /// on, and ends below that page.
    private func peek(
        besides gap: ScanGap, _ plan: ScanPlan, for purpose: PagePurpose, at now: Timestamp,
        into summary: inout PollSummary
    ) async throws {
        guard try await budget.turn(for: purpose, of: endpoint.id) else { return }
        let requested = coverage.now
        let page = try await client.logs(of: endpoint.id)
        await gate.with { $0.logAnswered(at: wallClock.now) }
        var scan = LogScan(range: plan.range, overlap: poll.overlap, started: now, takingOver: gap)
        var progress = scan.take(PageRows(page.items).times, next: page.next?.url, isCut: page.nextFault != nil)
        if !scan.isNewestFirst, progress.unread != nil {
            progress = ScanProgress(
                gapID: gap.id, started: gap.started, newest: progress.newest, unread: gap.range,
                resumeURL: gap.resumeURL)
        }
        summary.add(page, try await store.ingest(observed(page, progress, purpose), rules: rules, at: wallClock.now))
        if scan.isNewestFirst { await took(scan, requested, plan, isAtEnd: false, isCut: true, isDeep: false) }
    }

    /// Reads a gap as far as time allows. A page that cannot be read puts it off; that is no outage of the provider,
    /// which has just answered.
    func resume(
        _ gap: ScanGap, until deadline: Timestamp, at now: Timestamp, into summary: inout PollSummary
    ) async throws {
        do {
            _ = try await readGap(gap, until: deadline, at: now, into: &summary)
        } catch  where Self.isAboutAPage(error) {
            summary.trouble = "\(error)"
            try await putOff(gap, error)
        }
    }

    func putOff(_ gap: ScanGap, _ error: any Error) async throws {
        try await store.putOff(gap, at: wallClock.now)
        logger.warning(
            "a part of the log cannot be read; deliveries that failed before its end are not called",
            metadata: ["endpoint": "\(endpoint.name)", "error": "\(error)", "failures": "\(gap.failures + 1)"])
    }

    /// Continues a gap. When its page is gone, the next turn begins at the log's first page.
    func readGap(
        _ gap: ScanGap, until deadline: Timestamp, at now: Timestamp, into summary: inout PollSummary
    ) async throws -> (scan: LogScan, end: Reading, isRestart: Bool) {
        let link = gap.resumeURL.flatMap(client.pageLink(to:))
        // A gap that began while our clock was ahead does not say what is read by now.
        let restarts = link == nil || gap.started > now
        var scan = LogScan(resuming: gap, overlap: poll.overlap, restarts: restarts, at: now)
        let pages = summary.pages
        if restarts, try await !budget.turn(for: .gap, of: endpoint.id) { return (scan, Reading(), restarts) }
        do {
            let end = try await run(
                &scan, from: restarts ? nil : link, for: .gap, pages: nil, until: deadline, into: &summary)
            return (scan, end, restarts)
        } catch let error as ProviderError where link != nil && summary.pages == pages && error.isAboutThePage {
            try await store.restartGap(id: gap.id)
            throw error
        }
    }
}
