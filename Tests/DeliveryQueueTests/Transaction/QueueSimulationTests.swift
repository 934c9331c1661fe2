import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Goal: no failure is lost or doubled, and nothing arrives twice while the log shows the outcome of each call in time.
/// Method: a seed drives a provider that answers, drops and repeats, a caller that dies during calls, and a log that
/// lags less than the wait for it. After each step the promises are checked against the provider's own books.
@Suite struct QueueSimulationTests {
    private static let events = (1...8).map { "event-\($0)" }
    /// The first seeds, and those that once found a fault: calls without a task id of their own that were counted as if
    /// they could leave none behind, and a call that was given up without being counted.
    private static let seeds = Array(1...(Proofs.areLong ? 8 : 2)) + [37, 55]

    @Test(arguments: SimulatedProvider.Way.allCases, Self.seeds)
    func `every failure ends delivered once, or dead without an arrival`(
        way: SimulatedProvider.Way, seed: Int
    ) async throws {
        let queue = try await QueueFixture(rules: Self.rules)
        var provider = SimulatedProvider(way: way, triesItself: true, seed: seed)

        try await run(&provider, with: queue)

        try await check(queue, against: provider, "\(way) seed \(seed)")
        // The provider tries the first event too: its failures may stand in the log before our success does.
        for event in Self.events.dropFirst() where (provider.arrivals[event] ?? 0) > 1 {
            Issue.record("\(way) seed \(seed): \(event) arrived \(provider.arrivals[event] ?? 0) times")
        }
    }

    /// A silent log makes repeats possible; it must not make second deliveries, or lose an arrival for good.
    @Test(arguments: [SimulatedProvider.Way.sameTask, .named, .silent], 1...(Proofs.areLong ? 8 : 2))
    func `a log that lags longer than the wait for it neither doubles nor loses a delivery`(
        way: SimulatedProvider.Way, seed: Int
    ) async throws {
        let queue = try await QueueFixture(rules: Self.rules)
        var provider = SimulatedProvider(way: way, lag: 2_400, seed: seed)

        try await run(&provider, with: queue)

        try await check(queue, against: provider, "\(way) seed \(seed)")
    }

    private static let rules = RetryRules.exact(
        .exponential(initial: .minutes(1), multiplier: 1.5, cap: .hours(1), attempts: 30))

    private func run(_ provider: inout SimulatedProvider, with queue: QueueFixture) async throws {
        var unrecorded: [CallResult] = []
        var now = start
        for event in Self.events { provider.fail(event, at: now) }

        while now < start + .days(3) {
            now = now + .seconds(Int.random(in: 5..<240, using: &provider.random))
            if provider.triesItself, Int.random(in: 0..<9, using: &provider.random) == 0 {
                provider.failAgain("event-1", at: now)
            }
            if Bool.random(using: &provider.random) { try await poll(provider: &provider, into: queue, at: now) }
            for outcome in unrecorded { _ = try await queue.store.record([outcome], rules: queue.rules, at: now) }
            unrecorded = []
            try await queue.settle(at: now)
            for claimed in try await queue.claim(limit: 3, lease: .minutes(5), at: now) {
                #expect(claimed.body == Array("{\"event\":\"\(claimed.taskID)\"}".utf8))
                let answer = provider.retry(claimed.taskID, at: now)
                guard let meaning = answer.meaning else { continue }
                unrecorded.append(queue.outcome(of: claimed, meaning, naming: answer.named, at: now + .seconds(2)))
            }
            if try await queue.holdReason() != nil {
                _ = try await queue.store.resume(
                    endpoint: QueueFixture.endpoint, by: "test", reason: "x", rules: queue.rules, at: now)
            }
            if try await isDone(queue) { break }
        }

        try await poll(provider: &provider, into: queue, at: now + .hours(1))
    }

    private func poll(provider: inout SimulatedProvider, into queue: QueueFixture, at now: Timestamp) async throws {
        let page = ObservedPage(
            endpointID: QueueFixture.endpoint, observations: provider.page(at: now), unreadable: [],
            progress: ScanProgress(started: now))
        _ = try await queue.store.ingest(page, rules: queue.rules, at: now)
    }

    private func isDone(_ queue: QueueFixture) async throws -> Bool {
        let final = try await queue.number("SELECT COUNT(*) FROM delivery WHERE finalized_ms IS NOT NULL")
        return final == Int64(Self.events.count)
    }

    private func check(
        _ queue: QueueFixture, against provider: SimulatedProvider, _ comment: Comment
    ) async throws {
        let found = try await queue.texts("SELECT task_id FROM delivery ORDER BY task_id")
        #expect(found == Self.events, comment)
        for event in Self.events {
            let delivery = try await queue.delivery(event)
            let arrivals = provider.arrivals[event] ?? 0
            switch delivery.state {
            case .delivered: #expect(arrivals >= 1, comment)
            case .dead: #expect(arrivals == 0, comment)
            case .scheduled, .attempting, .awaiting: Issue.record("\(comment): \(event) is \(delivery.state)")
            }
        }
        #expect(try await queue.number("SELECT COUNT(*) FROM attempt WHERE outcome IS NULL") == 0, comment)
        let counted = try await queue.counter(Counter.finalized, "profile_update", "delivered")
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'") == counted, comment)
        let unconfirmed = try await queue.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'unconfirmed'")
        #expect(try await queue.counter(Counter.unconfirmed) >= unconfirmed, comment)
    }
}
