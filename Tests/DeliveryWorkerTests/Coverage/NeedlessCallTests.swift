import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// Whatever the worker waited for, it looks at the log before it calls: what has arrived meanwhile is not sent again.
/// Each test lets five deliveries fail, and arrive by the provider's own attempts a moment before they would be called.
@Suite struct NeedlessCallTests {
    private let bench: Workbench
    private let fake: FakeProvider
    private let provider: TroubledProvider
    private var configuration: WorkerConfiguration
    /// The first attempt, a minute after noon.
    private static let due = 60.0

    init() async throws {
        let policy = RetryPolicy(spacing: .listed([.seconds(Self.due), .seconds(3_600)]), jitter: 0)
        bench = try await Workbench(policy: policy)
        fake = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        for number in 0..<5 {
            await fake.fail(
                LogLine("t\(number)", at: .noon(Double(-number) / 10)).with { $0.body = "\(number)" }, again: 0)
        }
        provider = TroubledProvider(fake, time: bench.time)
        configuration = .for(bench)
        configuration.policies = PolicyBook(entries: [.init(events: ["*"], policy: policy)])
    }

    private func arrive() async {
        for number in 0..<5 {
            await fake.add(LogLine("t\(number)", "success", at: bench.time.now).with { $0.body = "\(number)" })
        }
    }

    private var calls: Int { provider.times(\.isRetry).count }

    /// Runs the daemon until all are delivered, or ten minutes have passed.
    private func run(_ at: @escaping (Timestamp) async throws -> Void) async throws {
        try await VirtualDaemon(bench, configuration, provider).run { now in
            try await at(now)
            return try bench.tasks(.delivered).count == 5 || now > .noon(600)
        }
        #expect(try bench.tasks(.delivered).count == 5)
    }

    @Test func `an arrival between two polls makes the call needless`() async throws {
        var hasArrived = false
        try await run { now in
            guard !hasArrived, now > .noon(40) else { return }
            hasArrived = true
            await arrive()
        }

        #expect(calls == 0)
    }

    @Test func `an arrival during an outage is seen before the first call after it`() async throws {
        var hasArrived = false
        try await run { now in
            if now > .noon(30), now < .noon(200) { provider.set { _ in .failure(.notSent(.refused)) } }
            if !hasArrived, now > .noon(150) {
                hasArrived = true
                await arrive()
            }
            if now >= .noon(200) { provider.set(nil) }
        }

        #expect(calls == 0)
    }

    @Test func `an arrival during an outage that another endpoint's log ends is seen before the first call`()
        async throws
    {
        try await bench.store.registerEndpoints([(id: "e2", name: "e2")], historyFrom: .noon, at: .noon)
        var (both, hasArrived) = (configuration, false)
        both.endpoints.append(.init(id: "e2", name: "e2"))
        provider.set { $0.url.contains("/e2/") ? .success(.json("[]")) : nil }
        try await VirtualDaemon(bench, both, provider).run { now in
            if now > .noon(30), now < .noon(300) {
                provider.set { [time = bench.time] request in
                    guard request.url.contains("/e2/") else { return .failure(.notSent(.refused)) }
                    return time.now < .noon(160) ? .failure(.notSent(.refused)) : .success(.json("[]"))
                }
            } else if now >= .noon(300) {
                provider.set { $0.url.contains("/e2/") ? .success(.json("[]")) : nil }
            }
            if !hasArrived, now > .noon(150) {
                hasArrived = true
                await arrive()
            }
            return try bench.tasks(.delivered).count == 5 || now > .noon(600)
        }

        #expect(try bench.tasks(.delivered).count == 5)
        #expect(provider.times(\.isRetry).isEmpty)
    }

    @Test func `an arrival while the process was stopped is seen before the first call after that`() async throws {
        var hasArrived = false
        try await run { now in
            guard !hasArrived, now > .noon(25) else { return }
            hasArrived = true
            bench.time.advance(by: .seconds(72))
            await arrive()
        }

        #expect(calls == 0)
    }

    @Test func `an arrival while the endpoint was not configured is seen before the first call after that`()
        async throws
    {
        try await VirtualDaemon(bench, configuration, provider).run { $0 > .noon(25) }
        bench.time.advance(by: .seconds(72))
        await arrive()
        try await run { _ in }

        #expect(calls == 0)
    }

    @Test func `an arrival while the credential was refused is seen before the first call after that`() async throws {
        var hasArrived = false
        try await run { now in
            if now > .noon(30), now < .noon(200) { provider.set { _ in .success(HTTPResponse(status: 401)) } }
            if !hasArrived, now > .noon(150) {
                hasArrived = true
                await arrive()
            }
            if now >= .noon(200) { provider.set(nil) }
        }

        #expect(calls == 0)
    }

    @Test func `an arrival while an operator held the endpoint is seen before the first call after that`() async throws
    {
        var (isHeld, hasArrived) = (false, false)
        try await run { now in
            if !isHeld, now > .noon(30) {
                isHeld = true
                _ = try await bench.store.pause(
                    endpoint: "e1", by: "ann", reason: "x", at: now)
            }
            if !hasArrived, now > .noon(170) {
                hasArrived = true
                await arrive()
                _ = try await bench.store.resume(
                    endpoint: "e1", by: "ann", reason: "x", rules: bench.rules, at: now)
            }
        }

        #expect(calls == 0)
    }

    @Test func `what has not arrived is called within seconds of its time`() async throws {
        try await run { _ in }

        #expect(provider.times(\.isRetry).allSatisfy { $0 >= .noon(59) && $0 < .noon(63) })
        #expect(calls == 5)
    }

    @Test func `a limit of requests holds for all endpoints together, and everything arrives`() async throws {
        var configuration = configuration
        configuration.poll.interval = .seconds(1)
        configuration.poll.requestsPerMinute = 6
        try await VirtualDaemon(bench, configuration, provider).run { now in
            try bench.tasks(.delivered).count == 5 || now > .noon(1_200)
        }

        #expect(try bench.tasks(.delivered).count == 5)
        let reads = provider.times(\.isRead)
        #expect(zip(reads, reads.dropFirst()).allSatisfy { $1 - $0 >= .milliseconds(9_999) })
        #expect(calls == 5)
    }

    @Test func `while nothing is due, no more is read than the interval says`() async throws {
        var configuration = configuration
        configuration.policies = PolicyBook(entries: [
            .init(events: ["*"], policy: RetryPolicy(spacing: .listed([.seconds(7_200)]), jitter: 0))
        ])
        try await VirtualDaemon(bench, configuration, provider).run { $0 > .noon(3_600) }

        #expect((60...62).contains(provider.times(\.isRead).count))
    }
}
