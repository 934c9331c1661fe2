import DeliveryQueue
import Synchronization
import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker
@testable import ProviderAPI
@testable import RedeliverConfiguration

/// By which clock we go when ours and the provider's differ.
@Suite final class ProviderClockTests: Sendable {
    /// True time; the provider's answers tell it in whole seconds.
    private let time = VirtualTime()
    /// How far this machine's clock is ahead.
    private let ahead = Mutex(Duration.zero)

    private static let year = Duration.seconds(365 * 86_400)

    /// As a provider would write 2025-06-15T12:00:00Z and a number of seconds.
    private static func date(_ seconds: Int) -> HTTPHeader {
        let (minutes, rest) = (seconds / 60, seconds % 60)
        return HTTPHeader("Date", "Sun, 15 Jun 2025 12:0\(minutes):\(rest < 10 ? "0" : "")\(rest) GMT")
    }

    private func clock(_ answers: HTTPResponse...) -> ProviderClock {
        let wall = WallClock { [self] in time.now + ahead.withLock { $0 } }
        return ProviderClock(
            watching: ScriptedTransport(answers), wall: wall, clock: time.clock, logger: .silent)
    }

    private func ask(_ clock: ProviderClock) async throws {
        _ = try await clock.send(
            HTTPRequest(method: .get, url: Workbench.base, timeout: .seconds(1), responseLimit: 1_000))
    }

    private func put(_ offset: Duration) { ahead.withLock { $0 = offset } }

    @Test(arguments: [1, -1]) func `a clock that is a year wrong is not gone by once an answer has told the time`(
        sign: Int
    ) async throws {
        put(Self.year * sign)
        let clock = clock(HTTPResponse(status: 200, headers: [Self.date(0)]))
        #expect(!clock.isTold && clock.clock.now == .noon + Self.year * sign)

        try await ask(clock)
        time.advance(by: .seconds(100))

        #expect(clock.isTold && clock.clock.now == .noon(100.5))
        put(.zero)
        #expect(clock.clock.now == .noon(100))
    }

    @Test func `a clock that is put wrong later is found out at once`() async throws {
        let clock = clock(HTTPResponse(status: 200, headers: [Self.date(0)]))
        try await ask(clock)
        #expect(clock.clock.now == .noon)

        put(.seconds(3_600))
        #expect(clock.clock.now == .noon(0.5))
    }

    @Test func `clocks that differ by some seconds are left alone`() async throws {
        put(.seconds(4))
        let clock = clock(HTTPResponse(status: 200, headers: [Self.date(0)]))
        try await ask(clock)

        #expect(clock.clock.now == .noon(4))
        put(.seconds(6))
        #expect(clock.clock.now == .noon(0.5))
    }

    @Test(arguments: [
        HTTPResponse(status: 200), HTTPResponse(status: 502, headers: [date(0)]),
        HTTPResponse(status: 404, headers: [date(0)]),
        HTTPResponse(status: 200, headers: [date(0), HTTPHeader("Age", "3000")]),
        HTTPResponse(status: 200, headers: [HTTPHeader("Date", "noon")]),
    ])
    func `an answer that may be somebody else's tells no time`(answer: HTTPResponse) async throws {
        put(Self.year)
        let clock = clock(answer)
        try await ask(clock)

        #expect(!clock.isTold && clock.clock.now == .noon + Self.year)
    }

    @Test func `one host of many whose clock is wrong is not believed before a second answer`() async throws {
        let wrong = HTTPResponse(status: 200, headers: [Self.date(120)])
        let clock = clock(HTTPResponse(status: 200, headers: [Self.date(0)]), wrong, wrong, wrong)
        try await ask(clock)
        try await ask(clock)
        try await ask(clock)
        #expect(clock.clock.now == .noon)

        time.advance(by: .seconds(2))
        try await ask(clock)
        #expect(clock.clock.now == .noon(120.5))
    }

    @Test func `an answer that took long tells no time`() async throws {
        put(Self.year)
        let slow = ScriptedTransport { [time] _ async throws(TransportError) in
            time.advance(by: .seconds(3))
            return HTTPResponse(status: 200, headers: [Self.date(0)])
        }
        let wall = WallClock { [time] in time.now + Self.year }
        let clock = ProviderClock(watching: slow, wall: wall, clock: time.clock, logger: .silent)
        try await ask(clock)

        #expect(!clock.isTold)
    }

    // MARK: - What a start by a wrong clock leaves behind

    /// The log of a provider that tells the time, as a worker reads it whose clock is ahead.
    private func generation(ahead offset: Duration = year) async throws -> (Generation, Workbench) {
        put(offset)
        let bench = try await Workbench(time: VirtualTime(.noon + offset))
        let page = HTTPResponse.json(
            LogText.page([LogLine("t-1", at: .noon(-60)), LogLine("t-0", at: .noon(-7_200))]),
            headers: [Self.date(0)])
        let wall = WallClock { [self] in time.now + ahead.withLock { $0 } }
        let base = WorkerBase(
            store: bench.store, transport: ScriptedTransport([page, page, page]), clock: time.clock, wallClock: wall,
            logger: .silent)
        var configuration = WorkerConfiguration.for(bench, endpoints: ["e-new"])
        configuration.poll.initialLookback = .seconds(3_600)
        let generation = Generation(configuration, on: base)
        try await generation.prepare(at: base.wallClock.now)
        return (generation, bench)
    }

    @Test func `the look-back is whole although the endpoint was first seen by a clock some hours ahead`() async throws
    {
        let (generation, bench) = try await generation(ahead: .seconds(1_800))
        let poller = generation.pollers[0].poller
        await #expect(throws: ClockPutBack.self) { try await poller.runOnce(at: .noon(1_800)) }
        #expect(try await poller.runOnce(at: .noon(1)).new == 1)
        let history = try bench.number("SELECT history_from_ms FROM endpoint WHERE id = 'e-new'")
        #expect(history == Int(Timestamp.noon(1 - 3_600).milliseconds))

        // Later a clock that is behind, before an answer has told the time, changes nothing.
        await #expect(throws: Never.self) { try await poller.runOnce(at: .noon - Self.year) }
        #expect(try bench.number("SELECT history_from_ms FROM endpoint WHERE id = 'e-new'") == history)
    }

    @Test func `failures are taken up although the endpoint was first seen by a clock far ahead`() async throws {
        let (generation, bench) = try await generation()
        let poller = generation.pollers[0].poller
        await #expect(throws: ClockPutBack.self) { try await poller.runOnce(at: .noon + Self.year) }

        let summary = try await poller.runOnce(at: .noon(1))

        #expect(summary.new == 1)
        #expect(try bench.tasks(.scheduled) == ["t-1"])
        let scan = try bench.number("SELECT last_scan_ms FROM endpoint WHERE id = 'e-new'")
        #expect(scan == Int(Timestamp.noon(1).milliseconds))
    }
}
