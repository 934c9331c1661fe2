import DeliveryQueue
import DeliveryWorker
import ProviderAPI

/// The newest lines of an endpoint's log, and with each further reading the new ones.
///
/// A log that is proven to be newest-first is read only as far as it matters; other logs are read to their end. An
/// entry is new when it was not seen before and is not older than the newest one by more than the overlap, within which
/// late entries are expected.
struct LogTail: Sendable {
    /// The result of a reading.
    struct Reading: Sendable, Equatable {
        /// Oldest first; those without a time stand before all others.
        var lines: [LogTail.Line] = []
        /// True when there are older lines than `lines`.
        var isCut = false
        /// Why older lines, or in a log of another order newer ones, could not be asked for; nil when nothing kept
        /// them.
        var fault: ProviderError?
    }

    /// The first reading may end after this many lines; nil for the log's end.
    private let enough: Int?
    /// The first reading keeps this many lines; nil for all.
    private let keeps: Int?
    private let onlyFailures: Bool
    private let overlap: Duration
    /// Hashes of the entries that were seen and may come again.
    private var seen: [Int: Timestamp?] = [:]
    private var newest: Timestamp?
    private var hasRead = false

    /// - Parameters:
    ///   - limit: lines of the first reading; 0 for the whole log. Later readings leave nothing out.
    ///   - onlyFailures: only failures, and unreadable entries, which may be failures.
    init(limit: Int, onlyFailures: Bool, overlap: Duration) {
        enough = limit == 0 ? nil : limit
        keeps = enough
        self.onlyFailures = onlyFailures
        self.overlap = overlap
    }

    /// A tail whose first reading covers the newest `duration` of the log completely.
    init(newest duration: Duration) {
        enough = 0
        keeps = nil
        onlyFailures = false
        overlap = duration
    }

    /// Reads the log. A reading that fails changes nothing; the next one finds the same lines.
    ///
    /// - Throws: `ProviderError`.
    mutating func read(_ endpointID: String, from client: ProviderClient) async throws -> Reading {
        var turn = Turn(overlap: overlap)
        var link: PageLink?
        repeat {
            guard turn.scan.enter(link?.url ?? "") else {
                throw ProviderError(
                    operation: "reading the log of endpoint '\(endpointID)'",
                    reason: .unreadableAnswer(cause: "the next page is one that was read already"))
            }
            link = take(try await client.logs(of: endpointID, at: link), in: &turn)
        } while link != nil
        return finish(turn)
    }

    // MARK: - One reading

    /// What a reading has found so far. It is kept apart, so that a failed reading leaves no trace.
    private struct Turn {
        var scan: LogScan
        var lines: [LogTail.Line] = []
        var found: [Int: Timestamp?] = [:]
        var newest: Timestamp?
        var isNewestFirst = false
        var isCut = false
        var fault: ProviderError?

        init(overlap: Duration) {
            let always = ScanRange(from: Timestamp(milliseconds: .min), to: Timestamp(milliseconds: .max))
            scan = LogScan(range: always, overlap: overlap, started: always.to)
        }
    }

    /// No older entry is new; nil while unknown.
    private var floor: Timestamp? { newest.map { $0 - overlap } }

    /// - Returns: the next page to read; nil when the reading is complete.
    private func take(_ page: LogPage, in turn: inout Turn) -> PageLink? {
        var times: [Timestamp] = []
        for item in page.items {
            let line = LogTail.Line(item)
            if let time = line.time {
                times.append(time)
                turn.newest = max(turn.newest ?? time, time)
            }
            // Pages shift while a log grows, so an entry may come twice.
            guard turn.found.updateValue(line.time, forKey: item.fingerprint) == nil else { continue }
            if isNew(item, line), !onlyFailures || line.mayBeFailure { turn.lines.append(line) }
        }
        turn.isNewestFirst =
            turn.scan.take(
                times.map { RowTimes(logged: $0) }, next: page.next?.url, isCut: page.nextFault != nil
            ).newestFirst
        shorten(&turn)
        let isComplete = isComplete(turn, youngest: times.max())
        turn.fault = isComplete ? nil : page.nextFault
        guard let next = page.next, !isComplete else {
            turn.isCut = turn.isCut || page.next != nil || page.nextFault != nil
            return nil
        }
        return next
    }

    private func isNew(_ item: LogPage.Item, _ line: LogTail.Line) -> Bool {
        guard hasRead else { return true }
        if let floor, let time = line.time, time < floor { return false }
        return seen[item.fingerprint] == nil
    }

    /// - Parameter youngest: the newest time of the page just read.
    private func isComplete(_ turn: Turn, youngest: Timestamp?) -> Bool {
        guard turn.isNewestFirst, let youngest else { return false }
        if hasRead { return floor.map { youngest < $0 } ?? false }
        guard let enough, turn.lines.count >= enough, let newest = turn.newest else { return false }
        return youngest < newest - overlap
    }

    /// Keeps the memory of a long log within bounds.
    private func shorten(_ turn: inout Turn, to slack: Int = 4) {
        guard !hasRead, let keeps, turn.lines.count / slack > keeps else { return }
        turn.lines = Array(sorted(turn).suffix(keeps))
        if turn.isNewestFirst { turn.lines.reverse() }
        turn.isCut = true
    }

    /// By time; entries of the same time in the order of the log.
    private func sorted(_ turn: Turn) -> [LogTail.Line] {
        let lines = turn.isNewestFirst ? turn.lines.reversed() : turn.lines
        let early = Timestamp(milliseconds: .min)
        return lines.enumerated()
            .sorted { ($0.element.time ?? early, $0.offset) < ($1.element.time ?? early, $1.offset) }
            .map(\.element)
    }

    private mutating func finish(_ turn: Turn) -> Reading {
        var turn = turn
        if !hasRead { shorten(&turn, to: 1) }
        let lines = sorted(turn)
        newest = [newest, turn.newest].compactMap { $0 }.max()
        seen.merge(turn.found) { $1 }
        if let floor { seen = seen.filter { $0.value.map { $0 >= floor } ?? true } }
        hasRead = true
        return Reading(lines: lines, isCut: turn.isCut, fault: turn.fault)
    }
}

extension LogPage.Item {
    /// Identifies an entry. A row that is changed in place gets another one, because its outcome or time differs.
    fileprivate var fingerprint: Int {
        var hasher = Hasher()
        switch self {
        case .entry(let entry):
            hasher.combine(entry.taskID)
            hasher.combine(entry.changedAt ?? entry.loggedAt)
            hasher.combine(entry.outcome)
        case .unreadable(let entry):
            hasher.combine(entry.raw)
        }
        return hasher.finalize()
    }
}
