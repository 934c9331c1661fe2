/// What becomes of the parts of a log that cannot be read.
extension QueueStore {
    /// Makes the scan of a gap begin at the log's first page again, because the page to go on from is gone.
    package func restartGap(id: Int64, at now: Timestamp) async throws(StoreError) {
        try await change("restart a gap", at: now) { try $0.restartGap(id: id) }
    }

    /// Notes that a gap could not be read. The next reading waits 5 seconds, then longer each time, up to 5 minutes.
    package func putOff(_ gap: ScanGap, at now: Timestamp) async throws(StoreError) {
        try await change("put off the reading of a gap", at: now) { try $0.putOff(gap) }
    }

    /// Keeps old rows that could not be read again as a gap: they may have changed. A gap that meets them takes them
    /// in. It is read from their page then, and what an operator freed is kept back again.
    ///
    /// - Parameter url: the page that could not be read.
    package func leaveGap(
        of endpointID: String, _ range: ScanRange, resumeURL url: String?, at now: Timestamp
    ) async throws(StoreError) {
        try await change("keep old rows as unread", at: now) { queue in
            guard try !queue.widenGap(of: endpointID, by: range, resumeURL: url) else { return }
            try queue.open(
                NewGap(
                    range: range, resumeURL: url, started: now, since: now, failures: 1, retry: now + ScanGap.pauses[0]),
                of: endpointID)
        }
    }

    /// Leaves out the page that cannot be read: its gap ends at the newest row of the page behind it, and what lies
    /// behind that is a gap of its own, which can be read.
    ///
    /// - Parameters:
    ///   - time: of the newest row behind the page.
    ///   - url: of the page behind it.
    package func split(
        _ gap: ScanGap, of endpointID: String, behind time: Timestamp, resumeURL url: String, at now: Timestamp
    ) async throws(StoreError) {
        guard time > gap.range.from, time < gap.range.to else { return }
        try await change("leave out a page of a log", at: now) {
            try $0.split(gap, of: endpointID, behind: time, resumeURL: url)
        }
    }

    /// Makes one gap of those that meet, cannot be read and are kept back or freed alike, or each reading that ends at
    /// a bad page would leave one more. Where there are very many, all that meet become one.
    package func joinGaps(of endpointID: String, at now: Timestamp) async throws(StoreError) {
        try await change("join the gaps of endpoint \(endpointID)", at: now) { queue in
            let gaps = try queue.session.gaps(of: endpointID).filter { $0.newestFirst && !$0.isSecond }
            for (kept, joined) in ScanGap.joins(of: gaps) { try queue.join(joined, to: kept) }
        }
    }
}

/// A part of a log that is unread from now on, with what the next reading of it needs.
struct NewGap {
    let range: ScanRange
    /// nil: begin at the log's first page.
    var resumeURL: String?
    /// The page before, which was read; nil: the log's first page.
    var lastURL: String?
    var newestFirst = true
    /// When the reading began that left it.
    let started: Timestamp
    /// Since when something of it is unread.
    let since: Timestamp
    var failures = 0
    /// It is read again from then on.
    var retry = Timestamp(milliseconds: 0)
    /// When an operator allowed calls in spite of it; nil: nobody did.
    var freed: Timestamp?
}

extension QueueTransaction {
    /// Keeps a part of a log as unread: what failed before its end is not called until it is read.
    ///
    /// - Returns: the gap's id.
    @discardableResult
    func open(_ gap: NewGap, of endpointID: String) throws -> Int64 {
        try session.run(
            """
            INSERT INTO scan_gap (
                endpoint_id, from_ms, to_ms, resume_url, last_url, newest_first, started_ms, since_ms, failures, retry_ms,
                freed_ms)
            VALUES (
                :endpoint, :from, :to, :url, :last, :newest, :started, :since, :failures, :retry, :freed)
            """,
            [
                "endpoint": endpointID, "from": gap.range.from, "to": gap.range.to, "url": gap.resumeURL,
                "last": gap.lastURL, "newest": gap.newestFirst, "started": gap.started, "since": gap.since,
                "failures": gap.failures, "retry": gap.retry, "freed": gap.freed,
            ])
        return session.lastID
    }

    fileprivate func restartGap(id: Int64) throws {
        try session.run("UPDATE scan_gap SET resume_url = NULL, last_url = NULL WHERE id = ?", [id])
    }

    fileprivate func putOff(_ gap: ScanGap) throws {
        let pause = ScanGap.pauses[min(gap.failures, ScanGap.pauses.count - 1)]
        try session.run(
            "UPDATE scan_gap SET failures = failures + 1, retry_ms = :retry WHERE id = :id",
            ["retry": now + pause, "id": gap.id])
    }

    /// - Returns: false where no gap meets the range.
    fileprivate func widenGap(of endpointID: String, by range: ScanRange, resumeURL url: String?) throws -> Bool {
        try session.change(
            """
            UPDATE scan_gap
            SET from_ms = \(Dialect.least("from_ms", ":from")), to_ms = \(Dialect.greatest("to_ms", ":to")),
                resume_url = CASE WHEN to_ms < :to THEN :url ELSE resume_url END,
                last_url = CASE WHEN to_ms < :to THEN NULL ELSE last_url END,
                freed_ms = CASE WHEN to_ms < :to THEN NULL ELSE freed_ms END
            WHERE id = (
                SELECT id FROM scan_gap
                WHERE endpoint_id = :endpoint AND newest_first = 1 AND is_second = 0 AND from_ms <= :to AND to_ms >= :from
                ORDER BY to_ms DESC LIMIT 1)
            """,
            ["endpoint": endpointID, "from": range.from, "to": range.to, "url": url]) > 0
    }

    fileprivate func split(_ gap: ScanGap, of endpointID: String, behind time: Timestamp, resumeURL url: String) throws
    {
        let behind = try session.first(
            "SELECT from_ms, started_ms, since_ms, freed_ms FROM scan_gap WHERE id = ?", [gap.id]
        ) {
            NewGap(
                range: ScanRange(from: $0.timestamp(), to: time), resumeURL: url, started: $0.timestamp(),
                since: $0.timestamp(), freed: $0.timestampIfAny())
        }
        guard let behind else { return }
        try open(behind, of: endpointID)
        try session.run("UPDATE scan_gap SET from_ms = ? WHERE id = ?", [time, gap.id])
    }

    fileprivate func join(_ joined: ScanGap, to kept: ScanGap) throws {
        try session.run(
            """
            UPDATE scan_gap
            SET from_ms = \(Dialect.least("from_ms", ":from")), to_ms = \(Dialect.greatest("to_ms", ":to")),
                since_ms = \(Dialect.least("since_ms", "(SELECT since_ms FROM scan_gap WHERE id = :joined)")),
                failures = \(Dialect.greatest("failures", ":failures"))
            WHERE id = :kept
            """,
            [
                "from": joined.range.from, "to": joined.range.to, "failures": joined.failures, "joined": joined.id,
                "kept": kept.id,
            ])
        try session.run("DELETE FROM scan_gap WHERE id = ?", [joined.id])
    }
}

extension ScanGap {
    /// So many gaps of one log are enough, whatever left them.
    private static let most = 16

    /// Which of a newest-first log's gaps become one: each with the one that takes it in. That one's page is the newer
    /// one. The oldest stays as it is while it can be read. It goes on from its own page, or a busy log would never be
    /// read to its end.
    static func joins(of gaps: [ScanGap]) -> [(kept: ScanGap, joined: ScanGap)] {
        var joins: [(kept: ScanGap, joined: ScanGap)] = []
        var top: (gap: ScanGap, from: Timestamp)?
        let gaps = gaps.sorted { ($0.range.to, $0.id) > ($1.range.to, $1.id) }
        for gap in gaps {
            let isOneTooMany = gaps.count > most && gap.id != gaps.last?.id
            guard let above = top, gap.range.to >= above.from, gap.isFreed == above.gap.isFreed,
                (gap.failures > 0 && above.gap.failures > 0) || isOneTooMany
            else {
                top = (gap, gap.range.from)
                continue
            }
            joins.append((above.gap, gap))
            top = (above.gap, min(above.from, gap.range.from))
        }
        return joins
    }
}
