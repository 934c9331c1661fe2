import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration

/// Reads what an earlier turn left unread.
extension LogPoller {
    // MARK: - A pass

    /// Goes on with the pass through a log that is not newest first, or not known to be. While a page of it cannot be
    /// read, the first page is.
    func continuePass(
        _ gap: ScanGap, _ plan: ScanPlan, for purpose: PagePurpose, until deadline: Timestamp, at now: Timestamp,
        into summary: inout PollSummary
    ) async throws {
        guard gap.isDue(at: now) else {
            return try await peek(besides: gap, plan, for: purpose, at: now, into: &summary)
        }
        let began = await coverage.rest(of: endpoint.id)
        let (restarted, pages) = (coverage.now, summary.pages)
        let (scan, end, isRestart) = try await readGap(gap, until: deadline, at: now, into: &summary)
        let rest =
            isRestart
            ? Coverage.Rest(scan: scan, requested: restarted, openings: plan.openings, isDisturbed: end.isDisturbed)
            : began.map {
                Coverage.Rest(
                    scan: scan, requested: $0.requested, openings: $0.openings,
                    isDisturbed: $0.isDisturbed || end.isDisturbed)
            }
        if let fault = end.fault {
            // A pass that waits for a page says nothing of what was logged meanwhile. Its end allows no calls.
            await coverage.keep(nil, of: endpoint.id)
            summary.trouble = "\(fault)"
            try await leaveOut(end.next, of: gap, fault, until: deadline, into: &summary)
            // Where nothing was read, only the first page tells whether the provider answers at all.
            guard summary.pages == pages, (fault as? ProviderError)?.isAboutThePage == false else { return }
            return try await peek(besides: gap, plan, for: purpose, at: now, into: &summary)
        }
        let isLeft = !end.isWhole && !scan.isNewestFirst
        await coverage.keep(isLeft && !end.isOutdated ? rest : nil, of: endpoint.id)
        if end.isWhole, let rest { await took(rest, end, isDeep: true) }
    }

    /// Stores what the first page shows. Where it proves that the newest come first, the gap is one of such a log from
    /// then on, and ends below that page. Where an operator freed the gap, it counts as a look.
    private func peek(
        besides gap: ScanGap, _ plan: ScanPlan, for purpose: PagePurpose, at now: Timestamp,
        into summary: inout PollSummary
    ) async throws {
        guard try await budget.turn(for: purpose, of: endpoint.id) else { return }
        let requested = coverage.now
        let page = try await ask(for: nil, started: now)
        var scan = LogScan(range: plan.range, overlap: poll.overlap, started: now, takingOver: gap)
        var progress = scan.take(PageRows(page.items).times, next: page.next?.url, isCut: page.nextFault != nil)
        if !scan.isNewestFirst, progress.unread != nil {
            progress = ScanProgress(
                gapID: gap.id, started: gap.started, newest: progress.newest, unread: gap.range,
                resumeURL: gap.resumeURL, lastURL: gap.lastURL)
        }
        summary.add(page, try await store.ingest(observed(page, progress), rules: rules, at: wallClock.now))
        guard scan.isNewestFirst || gap.isFreed else { return }
        await took(.init(scan: scan, requested: requested, openings: plan.openings), PagesRead(), isDeep: false)
    }

    // MARK: - Gaps

    /// Reads gaps as far as time allows. The first one always gets a page, or a busy log would starve it.
    func fill(
        _ gaps: [ScanGap], until deadline: Timestamp, at now: Timestamp, into summary: inout PollSummary
    ) async throws {
        for (index, gap) in gaps.enumerated() where index == 0 || wallClock.now < deadline {
            guard await !isOutage else { return }
            try await fill(gap, until: deadline, at: now, into: &summary)
        }
    }

    /// Reads a gap as far as time allows. A page that cannot be read puts it off; that is no outage of the provider,
    /// which has just answered.
    private func fill(
        _ gap: ScanGap, until deadline: Timestamp, at now: Timestamp, into summary: inout PollSummary
    ) async throws {
        // The look before may have closed it.
        guard let gap = try await store.gap(id: gap.id, of: endpoint.id) else { return }
        let (scan, end, _) = try await readGap(gap, until: deadline, at: now, into: &summary)
        if let downTo = scan.rowsSince(isAtEnd: end.isAtEnd), gap.newestFirst, !end.isOutdated {
            await coverage.read(endpoint.id, from: gap.range.to, downTo: downTo)
        }
        guard let fault = end.fault else { return }
        summary.trouble = "\(fault)"
        guard let gap = try await store.gap(id: gap.id, of: endpoint.id) else { return }
        try await leaveOut(end.next, of: gap, fault, until: deadline, into: &summary)
    }

    /// Puts a gap off. Where pages are numbered, the page that cannot be read is left out, so that failures behind it
    /// are found.
    ///
    /// - Parameter link: the page that cannot be read; nil: it has no address to go on from.
    func leaveOut(
        _ link: PageLink?, of gap: ScanGap, _ fault: any Error, until deadline: Timestamp,
        into summary: inout PollSummary
    ) async throws {
        try await store.putOff(gap, at: wallClock.now)
        logger.warning(
            "a part of the log cannot be read; deliveries that failed before its end are not called",
            metadata: ["endpoint": "\(endpoint.name)", "error": "\(fault)", "failures": "\(gap.failures + 1)"])
        guard !gap.isSecond, fault is ProviderError, let behind = link?.following else { return }
        do {
            if gap.newestFirst {
                try await split(gap, behind, into: &summary)
            } else {
                try await readBehind(behind, until: deadline, into: &summary)
            }
        } catch  where Self.isAboutAPage(error) {
            return
        }
    }

    /// So many pages in a row are left out at most. All of them cost a request with each reading of the gap.
    private static let mostLeftOut = 5

    /// Stores the first page from this one on that can be read; nil: the log ends, or a stop has begun.
    ///
    /// - Throws: the fault of the last page that was tried.
    private func firstReadable(
        from start: PageLink, _ progress: ScanProgress, into summary: inout PollSummary
    ) async throws -> (link: PageLink, page: LogPage)? {
        var (link, tried) = (start, 1)
        while true {
            guard try await budget.turn(for: .gap, of: endpoint.id) else { return nil }
            do {
                let page = try await ask(for: link, started: progress.started)
                summary.add(
                    page, try await store.ingest(observed(page, progress), rules: rules, at: wallClock.now))
                return (link, page)
            } catch  where Self.isAboutAPage(error) {
                guard tried < Self.mostLeftOut, await !isOutage, let next = link.following else { throw error }
                (link, tried) = (next, tried + 1)
            }
        }
    }

    /// Makes a gap of its own of what lies behind the pages that cannot be read.
    private func split(_ gap: ScanGap, _ behind: PageLink, into summary: inout PollSummary) async throws {
        let progress = ScanProgress(started: wallClock.now, hasReread: false)
        guard let (link, page) = try await firstReadable(from: behind, progress, into: &summary),
            let newest = PageRows(page.items).times.compactMap({ $0.changed ?? $0.logged }).max()
        else { return }
        try await store.split(
            gap, of: endpoint.id, behind: newest, resumeURL: link.url, at: wallClock.now)
    }

    /// Reads what lies behind the pages that cannot be read, in a log that is not newest first. Nothing of it is
    /// called: the pass is not whole.
    private func readBehind(
        _ start: PageLink, until deadline: Timestamp, into summary: inout PollSummary
    ) async throws {
        var link: PageLink? = start
        var (paging, visited) = (Paging(), Set<String>())
        let progress = ScanProgress(started: wallClock.now, hasReread: false)
        while let next = link, visited.insert(next.url).inserted, wallClock.now < deadline,
            summary.pages < Self.mostPages
        {
            guard let (found, page) = try await firstReadable(from: next, progress, into: &summary) else { return }
            visited.insert(found.url)
            guard paging.goesOn(after: PageRows(page.items)) else { return }
            link = page.next == found ? nil : page.next
        }
    }

    /// Continues a gap. When its page is gone, or the log has moved by more than a page, it begins at the first page.
    private func readGap(
        _ gap: ScanGap, until deadline: Timestamp, at now: Timestamp, into summary: inout PollSummary
    ) async throws -> (scan: LogScan, end: PagesRead, isRestart: Bool) {
        let link = gap.resumeURL.flatMap(client.pageLink(to:))
        // A gap that began while our clock was ahead does not say what is read by now. A pass of one page is begun anew
        // for the price of that page: then it says what was logged until now, and not where the log has moved
        // meanwhile.
        let isPassOfOnePage = gap.lastURL == nil && !gap.newestFirst
        var restarts = link == nil || isPassOfOnePage || gap.started > now
        do {
            if !restarts { restarts = try await hasMoved(gap, into: &summary) }
        } catch  where Self.isAboutAPage(error) {
            let scan = LogScan(resuming: gap, overlap: poll.overlap, restarts: false, at: now)
            return (scan, PagesRead(next: link, fault: error), false)
        }
        var scan = LogScan(resuming: gap, overlap: poll.overlap, restarts: restarts, at: now)
        let pages = summary.pages
        if restarts, try await !budget.turn(for: .gap, of: endpoint.id) { return (scan, PagesRead(), restarts) }
        let end = try await readPages(
            &scan, from: restarts ? nil : link, for: .gap, rereading: nil, least: isPassOfOnePage ? 2 : 1,
            until: deadline, into: &summary)
        if let error = end.fault as? ProviderError, !restarts, summary.pages == pages, error.isAboutThePage {
            try await store.restartGap(id: gap.id, at: wallClock.now)
        }
        return (scan, end, restarts)
    }

    /// Whether the log has moved by more than a page since the gap was left, because old entries were deleted. Numbered
    /// pages would then skip some; so the page before is read again, and its first row must be known.
    private func hasMoved(_ gap: ScanGap, into summary: inout PollSummary) async throws -> Bool {
        guard let last = gap.lastURL.flatMap(client.pageLink(to:)), last.following != nil else { return false }
        let progress = ScanProgress(
            gapID: gap.id, started: gap.started, unread: gap.range, resumeURL: gap.resumeURL, lastURL: gap.lastURL,
            newestFirst: gap.newestFirst, hasReread: false)
        do {
            return try await rereadPage(at: last, progress, into: &summary) == false
        } catch let error as ProviderError where error.isAboutThePage {
            return true
        }
    }
}
