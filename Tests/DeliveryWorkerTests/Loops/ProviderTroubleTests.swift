import DeliveryQueue
import GRDB
import HostileInput
import ProviderAPI
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// The daemon's services through trouble of the provider as a whole, on virtual time. After each: calls stopped within
/// one batch, came back by themselves and slowly, no attempt was used, nothing died, everything arrived once.
@Suite struct ProviderTroubleTests {
    private static let hour = 3_600.0
    private let count = 120
    private let bench: Workbench
    private let fake: FakeProvider
    private let provider: TroubledProvider
    private var configuration: WorkerConfiguration

    init() async throws {
        bench = try await Workbench()
        fake = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        for number in 0..<count {
            let line = LogLine("t\(number)", at: .noon(-600 - Double(number))).with { $0.body = "\(number)" }
            await fake.fail(line, again: 0)
        }
        provider = TroubledProvider(fake, time: bench.time)
        configuration = .for(bench)
        configuration.retry = .init(concurrency: 16, perSecond: 10, burst: 20, freshWithin: .seconds(5))
    }

    private func delivered() throws -> Int {
        try bench.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'")
    }

    /// Runs the daemon; the trouble begins in the middle of the drain and lasts for so many seconds.
    ///
    /// - Returns: when it began.
    private func run(
        _ configuration: WorkerConfiguration? = nil, trouble: @escaping TroubledProvider.Trouble, seconds: Double
    ) async throws -> Timestamp {
        var began: Timestamp?
        try await VirtualDaemon(bench, configuration ?? self.configuration, provider).run { now in
            if began == nil, provider.times(\.isRetry).count >= 30 {
                began = now
                provider.set(trouble)
            }
            guard let began else { return now > .noon(600) }
            guard now - began >= .seconds(seconds) else { return false }
            provider.set(nil)
            return try delivered() == count || now - began > .seconds(seconds + 2_000)
        }
        return try #require(began)
    }

    private func retries(_ from: Timestamp, _ seconds: ClosedRange<Double>) -> Int {
        provider.times(\.isRetry).count {
            $0 > from + .seconds(seconds.lowerBound) && $0 <= from + .seconds(seconds.upperBound)
        }
    }

    private func reads(_ from: Timestamp, _ seconds: ClosedRange<Double>) -> Int {
        provider.times(\.isRead).count {
            $0 > from + .seconds(seconds.lowerBound) && $0 <= from + .seconds(seconds.upperBound)
        }
    }

    private func expectAllArrived(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(try delivered() == count, sourceLocation: sourceLocation)
        #expect(try bench.number("SELECT SUM(attempts_used) FROM delivery") == 0, sourceLocation: sourceLocation)
        let received = await fake.received
        #expect(received.count == count, sourceLocation: sourceLocation)
        #expect(received.values.allSatisfy { $0.count == 1 }, sourceLocation: sourceLocation)
        #expect(await fake.doubleCalls == 0, sourceLocation: sourceLocation)
    }

    /// From the first call after `end`: one alone, then more and more.
    private func expectRamp(after end: Timestamp, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let calls = provider.times(\.isRetry).filter { $0 >= end }
        let first = try #require(calls.first, sourceLocation: sourceLocation)
        #expect(first - end < .seconds(302), sourceLocation: sourceLocation)
        let perSecond = (0..<30).map { second in
            calls.count { $0 >= first + .seconds(second) && $0 < first + .seconds(second + 1) }
        }
        #expect(perSecond[0] <= 2, sourceLocation: sourceLocation)
        #expect(perSecond[0..<5].reduce(0, +) <= 12, sourceLocation: sourceLocation)
        #expect(perSecond.max().map { $0 >= 5 && $0 <= 11 } == true, sourceLocation: sourceLocation)
    }

    // MARK: - Outage

    @Test func `an outage of an hour is probed by reading a log, and ends in a ramp`() async throws {
        let began = try await run(trouble: { _ in .failure(.notSent(.refused)) }, seconds: Self.hour)

        #expect(retries(began, 0...Self.hour) <= configuration.retry.concurrency)
        // 5 s, 10 s … 160 s, then every 5 min.
        #expect((10...20).contains(reads(began, 0...Self.hour)))
        try expectRamp(after: began + .seconds(Self.hour))
        try await expectAllArrived()
    }

    @Test func `a call that finds an outage has the log read soon, however seldom that is else`() async throws {
        var seldom = configuration
        seldom.poll.interval = .seconds(6 * 3_600)
        seldom.confirm.by = .answer
        let began = try await run(seldom, trouble: { _ in .failure(.notSent(.refused)) }, seconds: 600)

        #expect((3...6).contains(reads(began, 0...60)))
        try expectRamp(after: began + .seconds(600))
    }

    /// The calls that were under way are unknown, so the log has to tell first.
    @Test(arguments: ["502", "timeout"])
    func `an outage that answers with errors or not at all stops after one batch`(kind: String) async throws {
        let began = try await run(
            trouble: { _ in kind == "502" ? .success(HTTPResponse(status: 502)) : .failure(.unknownOutcome(.timeout)) },
            seconds: Self.hour)

        #expect(retries(began, 0...Self.hour) <= configuration.retry.concurrency)
        #expect((10...20).contains(reads(began, 0...Self.hour)))
        try await expectAllArrived()
    }

    @Test func `many endpoints share the ladder of one`() async throws {
        let endpoints = (1...20).map { "e\($0)" }
        let dead = ScriptedTransport { _ async throws(TransportError) in throw .notSent(.refused) }
        let daemon = try await VirtualDaemon(bench, .for(bench, endpoints: endpoints), dead)

        try await daemon.run { $0 >= .noon(Self.hour) }

        // Each begins with one; then as many as for a single endpoint, and not by always the same.
        let reads = await dead.reads.map(\.url)
        #expect((30...60).contains(reads.count))
        #expect(Set(reads.suffix(15)).count >= 10)
    }

    /// An answer shows that the provider is back, but only a log that is read shows what has arrived meanwhile.
    @Test func `no call is made after an outage before the log can be read again`() async throws {
        var began: Timestamp?
        try await VirtualDaemon(bench, configuration, provider).run { now in
            if began == nil, provider.times(\.isRetry).count >= 30 {
                began = now
                provider.set { _ in .failure(.notSent(.refused)) }
            }
            if let began, now - began >= .seconds(600) {
                provider.set(nil)
            } else if let began, now - began >= .seconds(60) {
                provider.set { $0.isRead ? .success(HTTPResponse(status: 404)) : nil }
            }
            return await fake.received.count == count || now > .noon(1_800)
        }

        #expect(await fake.received.count == count)
        let back = try #require(began) + .seconds(600)
        #expect(provider.times(\.isRetry).count { $0 > (began ?? back) + .seconds(5) && $0 < back } == 0)
        try expectRamp(after: back)
    }

    // MARK: - Storms

    @Test(arguments: ["429", "429 60", "429 date", "503", "503 60", "425"])
    func `a storm stops all calls within one batch, gets few more and ends in a ramp`(kind: String) async throws {
        let headers: [HTTPHeader] =
            if kind.hasSuffix(" 60") {
                [HTTPHeader("Retry-After", "60")]
            } else if kind.hasSuffix("date") {
                [
                    HTTPHeader("Retry-After", "Sun, 15 Jun 2025 12:01:00 GMT"),
                    HTTPHeader("Date", "Sun, 15 Jun 2025 12:00:00 GMT"),
                ]
            } else {
                []
            }
        let status = Int(kind.prefix(3)) ?? 0
        // The end falls between two of the calls that come once a minute.
        let seconds = Self.hour - 30
        let began = try await run(
            trouble: { $0.isRetry ? .success(HTTPResponse(status: status, headers: headers)) : nil },
            seconds: seconds)

        let batch = retries(began, -1...1)
        #expect(batch <= 2 * configuration.retry.concurrency)
        #expect(retries(began, 1...25) == 0)
        // One a minute where it names that; else after 30 s, 60 s … 300 s.
        #expect(retries(began, 1...seconds) <= (headers.isEmpty ? 20 : 62))
        #expect(retries(began, 1...seconds) >= 8)
        try expectRamp(after: began + .seconds(seconds))
        try await expectAllArrived()
    }

    // MARK: - Slow answers

    /// Logs can be read all the time: they alone must not bring the calls back at full speed.
    @Test func `calls that all time out are a few at a time, and the log settles what was executed`() async throws {
        let began = try await run(
            trouble: { $0.isRetry ? .failure(.unknownOutcome(.timeout)) : nil }, seconds: Self.hour)

        #expect(retries(began, 0...30) <= configuration.retry.concurrency + 3)
        #expect(retries(began, 30...Self.hour) <= 20)
        try await expectAllArrived()
    }

    // MARK: - Credentials

    private func withLogin() -> WorkerConfiguration {
        var configuration = configuration
        configuration.provider.credential = .login(username: "u", password: .value(Secret("p")))
        return configuration
    }

    @Test func `tokens that end in the middle of a drain cost one refresh`() async throws {
        var isEnded = false
        try await VirtualDaemon(bench, withLogin(), provider).run { now in
            if !isEnded, provider.times(\.isRetry).count >= 30 {
                isEnded = true
                provider.endTokens()
            }
            return try delivered() == count || now > .noon(600)
        }

        #expect(provider.times(\.isLogin).count == 1)
        #expect(provider.times(\.isRefresh).count == 1)
        try await expectAllArrived()
    }

    @Test func `a login that fails for an hour holds everything, is tried every five minutes, and ends in a ramp`()
        async throws
    {
        let began = try await run(
            withLogin(),
            trouble: {
                // Refused are all tokens, the refresh and the login.
                _ in .success(HTTPResponse(status: 401))
            }, seconds: Self.hour)

        #expect(retries(began, 0...1) <= configuration.retry.concurrency)
        #expect(retries(began, 1...Self.hour) == 0)
        #expect(reads(began, 1...Self.hour) == 0)
        let logins = provider.times(\.isLogin).count { $0 > began && $0 <= began + .seconds(Self.hour) }
        #expect((11...13).contains(logins))
        try expectRamp(after: began + .seconds(Self.hour))
        try await expectAllArrived()
    }

    // MARK: - Reloads

    @Test func `a reload forgets neither a pause nor a hold, unless it names another provider`() async throws {
        let base = WorkerBase(
            store: bench.store, transport: provider, clock: bench.time.clock, wallClock: bench.time.wallClock,
            logger: .silent)
        let first = Generation(configuration, on: base)
        await first.dispatcher.gate.with { _ = $0.pause(.throttled, for: .seconds(600), at: .noon) }

        var next = configuration
        next.retry = .init(concurrency: 4, perSecond: 100, burst: 50, freshWithin: .seconds(5))
        let second = Generation(next, on: base, gate: await first.gate(for: next))
        #expect(await second.dispatcher.gate.standing(at: .noon(599)).throttledUntil == .noon(600))
        await second.dispatcher.gate.with { $0.credentialRefused(at: .noon(700)) }
        let third = Generation(next, on: base, gate: await second.gate(for: next))
        #expect(await third.dispatcher.gate.gate.closed == .credential)

        next.provider.baseURL = "https://other.test"
        #expect(await third.gate(for: next) == nil)
    }
}
