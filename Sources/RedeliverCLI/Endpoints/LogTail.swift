import DeliveryQueue
import DeliveryWorker
import ProviderAPI

/// The newest lines of an endpoint's log, and with each further reading what is new.
///
/// A log that is proven to be newest-first is read only as far as it matters; all others are read to their end. New is
/// what was not seen before and is not older than the newest entry by more than the overlap, within which late entries
/// are expected.
struct LogTail: Sendable {
    /// What a reading found.
    struct Reading: Sendable, Equatable {
        /// Oldest first; those without a time stand before all others.
        var lines: [LogTail.Line] = []
        /// There are older lines that are not among `lines`.
        var isCut = false
    }

    /// Lines after which the first reading may end; nil: never before the log's end.
    private let enough: Int?
    /// How many lines the first reading keeps; nil: all.
    private let keeps: Int?
    private let onlyFailures: Bool
    private let overlap: Duration
    /// What was seen and could be met again: by hash, because a log may be long.
    private var seen: [Int: Timestamp?] = [:]
    private var newest: Timestamp?
    private var hasRead = false

    /// - Parameters:
    ///   - limit: lines of the first reading; 0: the whole log. Later readings leave nothing out.
    ///   - onlyFailures: failures, and entries that could not be understood, which may be failures.
    init(limit: Int, onlyFailures: Bool, overlap: Duration) {
        enough = limit == 0 ? nil : limit
        keeps = enough
        self.onlyFailures = onlyFailures
        self.overlap = overlap
    }

    /// A tail whose first reading goes back over the newest `duration` of the log, and leaves nothing of it out.
    init(newest duration: Duration) {
        enough = 0
        keeps = nil
        onlyFailures = false
        overlap = duration
    }

    /// Reads the log. A reading that fails changes nothing: the next one finds what this one would have found.
    ///
    /// - Throws: `ProviderError`.
    mutating func read(_ endpointID: String, from client: ProviderClient) async throws -> Reading {
        var turn = Turn(overlap: overlap)
        var link: PageLink?
        repeat {
            guard turn.scan.enter(link?.url ?? "") else {
                throw ProviderError(
                    operation: "reading the log of endpoint '\(endpointID)'",
                    reason: .unreadableAnswer(cause: "its paging leads back to a page already read"))
            }
            link = take(try await client.logs(of: endpointID, at: link), in: &turn)
        } while link != nil
        return finish(turn)
    }

    // MARK: - One reading

    /// What a reading has found so far; kept apart, so that one that fails leaves no trace.
    private struct Turn {
        var scan: LogScan
        var lines: [LogTail.Line] = []
        var found: [Int: Timestamp?] = [:]
        var newest: Timestamp?
        var isNewestFirst = false
        var isCut = false

        init(overlap: Duration) {
            let always = ScanRange(from: Timestamp(milliseconds: .min), to: Timestamp(milliseconds: .max))
            scan = LogScan(range: always, overlap: overlap, started: always.to)
        }
    }

    /// Nothing older is new; nil while that is unknown.
    private var floor: Timestamp? { newest.map { $0 - overlap } }

    /// - Returns: where to read on; nil when the reading is complete.
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
        turn.isNewestFirst = turn.scan.take(times, next: page.next?.url).newestFirst
        shorten(&turn)
        guard let next = page.next, !isComplete(turn, youngest: times.max()) else {
            turn.isCut = turn.isCut || page.next != nil
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

    /// By time; of the same time in the order in which the log tells them.
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
        return Reading(lines: lines, isCut: turn.isCut)
    }
}

extension LogPage.Item {
    /// What tells an entry from all others; a row that is changed in place becomes another one by its outcome or time.
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
