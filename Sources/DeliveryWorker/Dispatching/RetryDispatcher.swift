import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration

/// What a dispatching turn did, in counts.
struct DispatchSummary: Sendable, Equatable {
    var started = 0
    var recorded = 0
    /// Of the recorded, those that the provider took on.
    var accepted = 0
    /// Of the recorded, those that never reached the provider.
    var unreached = 0
    var superseded = 0
    /// Endpoints whose due deliveries still wait for their logs to be read.
    var unread: Set<String> = []
}

/// Asks the provider for retries: claims what is due, calls, records what came of it. The intent of a call is committed
/// before it begins, its result after it ended; in between only one call per delivery is in flight.
struct RetryDispatcher: Sendable {
    let store: QueueStore
    let client: ProviderClient
    let gate: SharedGate
    let calls: CallsInFlight
    let retry: WorkerConfiguration.Retry
    let rules: RetryRules
    /// Longer than a call can last, token renewal included.
    let lease: Duration
    let bell: Bell
    /// By endpoint id, rung when its log is to show what came of a call, or whether an outage is over, so that it is
    /// read soon.
    let pollBells: [String: Bell]
    /// Rung when a log was forbidden, or a call before any log was read with its grant: a log is to tell soon whom that
    /// is about.
    var credentialBell = Bell()
    /// Knows whose log was read lately enough to call; asked for a look at the others.
    var coverage: Coverage
    let clock: any Clock<Duration>
    let wallClock: WallClock
    /// Between two looks, whatever the timers say: bounds the harm of a clock that jumps.
    var longestSleep = Duration.seconds(30)
    let logger: Logger

    /// How long what has ended waits for more, until half as many have ended as are still under way: one transaction
    /// then serves many. A call alone never waits.
    private static let gathering = Duration.milliseconds(2)

    /// Runs until a graceful shutdown; calls in flight then finish and are recorded.
    func run(in loop: Loop) async throws {
        var ending: Int?
        var looks = OverdueLooks()
        await withDiscardingTaskGroup { group in
            await loop.run { _ in
                await coverage.beat(next: Coverage.longestTurn)
                if await !calls.hasEnough { await bell.sleep(for: Self.gathering, clock: clock) }
                let turn = try await turn(at: wallClock.now)
                for delivery in turn.claimed {
                    group.addTask { await call(delivery) }
                }
                await coverage.want(turn.unread)
                let now = wallClock.now
                var next = looks
                try await store.recordOverdueLooks(next.take(await coverage.wantedLooks, at: now), at: now)
                looks = next
                let pause = min(try await pause(at: now), looks.wait(at: now) ?? longestSleep)
                await coverage.beat(next: pause + Coverage.longestWaking)
                return pause
            }
            // The calls that are under way are waited for here, when the loop vouches for itself no more.
            ending = await loop.vitals.began(loop.name, patience: loop.patience)
        }
        _ = try await record(await calls.takeFinished(), at: wallClock.now)
        if let ending { await loop.vitals.ended(ending) }
    }

    /// How often one log is looked at before its deliveries are given up for this time: a deep look may end when the
    /// look before it is too old for a call, and then one more is needed.
    private static let mostLooks = 3

    /// Which deliveries a turn is for.
    enum Work {
        /// All that is due.
        case due
        /// Only what operators asked for, until all of it was called, also what comes due later.
        case manual
    }

    /// One turn to its end: retries as far as the gate allows, waits for the answers and records them.
    ///
    /// - Parameter look: reads an endpoint's log before its deliveries are called. At most `mostLooks` times for each
    ///   endpoint between two calls: a deep look may end after the one that it belongs to has become too old.
    func runOnce(
        _ work: Work = .due, at now: Timestamp, look: @Sendable (String) async -> Void
    ) async throws -> DispatchSummary {
        var summary = DispatchSummary()
        var looks: [String: Int] = [:]
        while true {
            let looked = Set(looks.filter { $0.value >= Self.mostLooks }.keys)
            let turn = try await turn(work, besides: looked, at: wallClock.now)
            summary.add(turn)
            if !turn.claimed.isEmpty { looks = [:] }
            if turn.claimed.isEmpty, let next = turn.unread.first {
                looks[next, default: 0] += 1
                await look(next)
                continue
            }
            summary.unread = looked
            await withDiscardingTaskGroup { group in
                for delivery in turn.claimed {
                    group.addTask { await call(delivery) }
                }
            }
            guard turn.claimed.isEmpty else { continue }
            guard try await waits(for: work, at: wallClock.now) else { return summary }
            looks = [:]
        }
    }

    // MARK: - One turn

    /// What a turn did: deliveries whose calls may begin now, and what it recorded before.
    fileprivate struct Turn {
        var claimed: [ClaimedDelivery] = []
        /// Endpoints whose log must be read before they can be called.
        var unread: [String] = []
        var superseded = 0
        var results: [CallResult] = []
        var recorded = RecordSummary()
    }

    /// Records what has ended and claims what may begin, both in one transaction.
    ///
    /// - Parameter looked: endpoints whose log was looked at already; nil: those that the pollers look at.
    private func turn(_ work: Work = .due, besides looked: Set<String>? = nil, at now: Timestamp) async throws -> Turn {
        let results = await calls.takeFinished()
        let free = retry.concurrency - (await calls.count)
        let (granted, openings) = await gate.with { ($0.take(upTo: free, at: now), $0.openings) }
        guard granted > 0 else { return try await record(results, at: now) }
        let readings = await coverage.readings(afterOpening: openings)
        let looks = if let looked { looked } else { await coverage.wantedLooks }
        do {
            let batch = try await store.claimDue(
                after: results, of: readings, besides: looks, onlyManual: work == .manual, limit: granted,
                lease: lease, rules: rules,
                at: now)
            await gate.with { $0.giveBack(granted - batch.deliveries.count) }
            await calls.begin(batch.deliveries.count)
            await follow(results, batch.recorded)
            return Turn(
                claimed: batch.deliveries, unread: batch.unread, superseded: batch.superseded, results: results,
                recorded: batch.recorded)
        } catch {
            await gate.with { $0.giveBack(granted) }
            // What keeps deliveries from being claimed must not keep results from being recorded.
            _ = try await record(results, at: now)
            throw error
        }
    }

    /// One call, which always ends in a result.
    private func call(_ delivery: ClaimedDelivery) async {
        let (reply, duration) = await timed(on: clock) {
            await client.retry(RetryRequest(delivery, as: retry.body)) {
                if delivery.ignoresLog { return true }
                return await coverage.isFresh(delivery.endpointID)
            }
        }
        let answered = wallClock.now
        let taken = await gate.with { $0.take(reply, at: answered) }
        let result = CallResult(
            deliveryID: delivery.id, leaseToken: delivery.leaseToken, answer: taken.answer, pause: taken.pause,
            lastTakenOn: taken.lastTakenOn, status: reply.status, namedTaskID: reply.namedTaskID, detail: reply.detail,
            duration: duration, answered: answered)
        if taken.answer == .forbidden { await credentialBell.ring() }
        if taken.pause > .zero { await pollBells[delivery.endpointID]?.ring() }
        if await calls.finish(result) { await bell.ring() }
    }

    /// Records finished calls alone. What cannot be recorded now stays and is tried again in the next turn.
    private func record(_ results: [CallResult], at now: Timestamp) async throws -> Turn {
        guard !results.isEmpty else { return Turn() }
        do {
            let summary = try await store.record(results, rules: rules, at: now)
            await follow(results, summary)
            return Turn(results: results, recorded: summary)
        } catch {
            await calls.putBack(results)
            throw error
        }
    }

    /// Until the next delivery comes due and the gate lets it through; a finished call rings earlier.
    private func pause(at now: Timestamp) async throws -> Duration {
        guard await calls.count < retry.concurrency else { return longestSleep }
        guard let opening = await gate.gate.wait(at: now) else { return longestSleep }
        let next = try await store.nextWork(after: await coverage.readings, rules: rules, at: now)
        // A look that is wanted already rings when it has ended.
        let look = next.look.flatMap { $0 > now || opening > .zero ? $0 : nil }
        guard let due = [next.call, look].compactMap(\.self).min() else { return longestSleep }
        return min(max(due - now, opening), longestSleep)
    }

    /// For `runOnce`: sleeps when only time, or the token bucket, stands between us and the next call.
    ///
    /// - Returns: false when there is no more to do, or the gate is shut.
    private func waits(for work: Work, at now: Timestamp) async throws -> Bool {
        let gate = await gate.gate
        guard gate.closed == nil, let tokens = gate.wait(at: now) else { return false }
        let next = try await store.nextWork(
            after: await coverage.readings, onlyManual: work == .manual, rules: rules, at: now)
        // Where a token is there, all logs were looked at that a look could help.
        guard let due = tokens > .zero ? next.first : next.call else { return false }
        guard work == .manual || due <= now else { return false }
        try await clock.sleep(for: max(tokens, due - now, .milliseconds(1)))
        return true
    }

    /// Does what follows from what was recorded.
    private func follow(_ results: [CallResult], _ summary: RecordSummary) async {
        guard !results.isEmpty else { return }
        for endpoint in summary.awaiting { await pollBells[endpoint]?.ring() }
        for result in results where AnswerTable.row(result.answer).execution != .yes {
            logger.notice(
                "retry not taken on",
                metadata: [
                    "delivery": "\(result.deliveryID)", "answer": "\(result.answer.rawValue)",
                    "status": "\(result.status.map(String.init) ?? "none")",
                ])
        }
        logger.debug("results recorded", metadata: ["count": "\(summary.recorded)", "late": "\(summary.late)"])
    }
}

extension DispatchSummary {
    fileprivate mutating func add(_ turn: RetryDispatcher.Turn) {
        started += turn.claimed.count
        superseded += turn.superseded
        recorded += turn.recorded.recorded
        accepted += turn.recorded.accepted
        unreached += turn.results.count { AnswerTable.row($0.answer).gate == .opensOutage }
    }
}

/// Calls that are under way, and the results of those that ended and are not recorded yet.
actor CallsInFlight {
    private var running = 0
    private var finished: [CallResult] = []

    /// Calls that hold a slot: running, or ended and not recorded.
    var count: Int { running + finished.count }

    func begin(_ number: Int) {
        running += number
    }

    /// - Returns: whether the dispatcher is to be woken: for the first one, or because enough have ended now.
    func finish(_ result: CallResult) -> Bool {
        let hadEnough = hasEnough
        running -= 1
        finished.append(result)
        return finished.count == 1 || (hasEnough && !hadEnough)
    }

    /// Half as many have ended as are still running, so that it is time to record them; also when there is none. With
    /// fewer a commit serves too few, with more the calls wait for it.
    var hasEnough: Bool { finished.isEmpty || finished.count * 2 >= running }

    func takeFinished() -> [CallResult] {
        defer { finished = [] }
        return finished
    }

    func putBack(_ results: [CallResult]) {
        finished = results + finished
    }
}
