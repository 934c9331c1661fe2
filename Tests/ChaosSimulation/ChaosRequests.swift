import DeliveryQueue
import DeliverySimulation

/// Judges whether the requests for one endpoint's log stay within what is new, where the newest come first.
///
/// A poll asks for the first page. It goes on to the page behind one that showed something new, and it goes deeper when
/// a decision needs old rows (`ChaosWatch.needsOldRows`). All else is reading the overlap again, which is due once in 5
/// min and once for each opening. Only starts, reloads, operators, answers other than 2xx and ends of holds can open
/// anything, within 10 min. So **a reading of the overlap that comes sooner than 5 min after the one before has one of
/// these before it, and over a whole run there are at most as many as these**; polls with nothing new cost one request
/// each, however many there are. And no such reading goes far below the overlap.
struct ChaosRequests: Sendable {
    /// Readings of the overlap that came too early, unless something had opened.
    private(set) var early = 0
    private var began = Duration.zero
    private var isRereading = false
    /// Whether old rows were needed when this turn began: that is when it was planned.
    private var isForOldRows = false
    private var newestReread: (began: Duration, openings: Int)?
    private var showedNew = true
    /// The times of the rows that were shown since the worker began, or a page could not be read: while they are few,
    /// it may not know the order, and reads on to learn it.
    private var times: Set<Int64> = []
    private var isProven = false
    private var isUnanswered = false
    /// The last rows of this turn, and the newest of all that were shown: provider time in milliseconds.
    private var lastRows: [Int64] = []
    private var newest = Int64.min
    /// The newest of those that were shown before this turn, from which the overlap counts.
    private var head = Int64.min
    private var emptyInRow = 0
    private var lastRequest = Duration.zero

    /// As in `Freshness.deepInterval`.
    private static let interval = Duration.seconds(300)
    /// An outage or a refused credential is tried every 5 min, and each try that fails is a disturbance of its own.
    private static let longestClosed = Duration.seconds(600)
    /// More than `RowOrder` asks for.
    private static let proof = 12
    /// One row that was logged late stands among newer ones; see `RowOrder.readDownTo`.
    private static let lastRowCount = 3
    /// A look gives up at six pages without a row (`Paging.limit`), and so do the reading of a gap after it and that of
    /// what lies behind a bad page.
    private static let mostEmpty = 19
    /// A gap is read again after this time at the soonest.
    private static let soonest = Duration.seconds(5)

    /// A page was shown.
    mutating func take(_ page: ChaosTruth.ShownPage, _ rows: [ChaosTruth.Row]) {
        isUnanswered = false
        let shown = page.rows.map { rows[$0] }
        showedNew = shown.contains { $0.committed == nil }
        times.formUnion(shown.map(\.created))
        newest = max(newest, shown.map(\.created).max() ?? newest)
        lastRows = (lastRows + shown.map(\.created)).suffix(Self.lastRowCount)
    }

    /// The worker knows nothing of the log's order.
    mutating func forgetOrder() { times = [] }

    /// A first page is asked for.
    mutating func begin(at now: Duration, needsOldRows: Bool = false) {
        (began, isRereading, isForOldRows, head) = (now, false, needsOldRows, newest)
        lastRows = []
        isProven = times.count >= Self.proof
    }

    /// Notes the request for a page: one of a log whose empty pages have no end, or another.
    ///
    /// - Returns: whether there are too many of them in a row.
    mutating func take(isEndless: Bool, at now: Duration) -> Bool {
        emptyInRow = !isEndless ? 0 : now - lastRequest < Self.soonest ? emptyInRow + 1 : 1
        lastRequest = now
        if isUnanswered { forgetOrder() }
        isUnanswered = true
        return emptyInRow > Self.mostEmpty
    }

    /// Whether the page before gives a reason to go on, so that nothing is to be judged.
    var hasReason: Bool { showedNew || isForOldRows || !isProven }

    /// Notes a request behind the first page for which there is no other reason than to read the overlap again.
    ///
    /// - Parameters:
    ///   - disturbed: when anything happened last that may have opened the gate.
    ///   - openings: how many holds of the endpoint have ended.
    /// - Returns: false when nothing explains it.
    mutating func takeReread(disturbed: Duration, openings: Int) -> Bool {
        guard !isRereading else { return true }
        isRereading = true
        defer { newestReread = (began, openings) }
        guard let last = newestReread, began - last.began < Self.interval else { return true }
        early += 1
        return began - disturbed <= Self.longestClosed || openings != last.openings
    }

    /// Whether the page before ended far below the overlap already. What the worker takes for the newest row may be
    /// older than the newest one by the overlap at most.
    func isBelow(_ overlap: Duration) -> Bool {
        guard head > .min, let bottom = lastRows.max() else { return false }
        return bottom < head - 2 * overlap.wholeMilliseconds
    }
}

extension ChaosProvider {
    /// Judges a request for a page, before it is answered.
    func judgeRequest(of endpoint: Int, at address: ChaosAddress) {
        let (plan, now) = (world.plan, time.now)
        let needsOldRows = watch.needsOldRows(of: plan.receivers[endpoint].id, at: ChaosTruth.beginning + now)
        let isTooEmpty = world.withTruth { truth in
            defer { if address.isFirst { truth.requests[endpoint].begin(at: now, needsOldRows: needsOldRows) } }
            return truth.requests[endpoint].take(isEndless: address.isEndless, at: now)
        }
        if isTooEmpty {
            world.withTruth { $0.violate("pages without a row are not read for ever", "\(address)", at: now) }
        }
        guard !address.isFirst, plan.judgesRequests(of: endpoint, at: now), !mayGoByOldDate,
            !needsOldRows, !world.withTruth({ $0.requests[endpoint].hasReason })
        else { return }
        let openings = watch.openings(of: plan.receivers[endpoint].id)
        world.withTruth { truth in
            let isExplained = truth.requests[endpoint].takeReread(
                disturbed: truth.disturbed, openings: openings)
            let early = truth.requests[endpoint].early
            let detail =
                "page \(address.number) of endpoint \(endpoint), \(early) early readings of the overlap, "
                + "\(truth.disturbances) disturbances, \(openings) ends of holds"
            if !isExplained || early > truth.disturbances + openings {
                truth.violate("a poll with nothing new costs one request", detail, at: now)
            }
            if truth.requests[endpoint].isBelow(plan.variants[0].overlap) {
                truth.violate("no poll reads below the overlap without a reason", detail, at: now)
            }
        }
    }
}

extension ChaosPlan {
    /// Only where the newest come first: each look at another log is a pass through all of it. A clock that is put
    /// right ends a turn without counting as anything; and a log is read in parts, or again, while it is slow or its
    /// entries go.
    fileprivate func judgesRequests(of endpoint: Int, at time: Duration) -> Bool {
        log.order == .newestFirst && endpoint != mirror && clock.isEmpty && drift == 0 && lies.isEmpty
            && excuse(forLookAt: endpoint, at: time) == nil && spell(of: endpoint, at: time) != .deleting
    }
}
