import DeliveryQueue
import Logging
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
        clock(ScriptedTransport(answers))
    }

    private func clock(_ transport: ScriptedTransport, logger: Logger = .silent) -> ProviderClock {
        let wall = WallClock { [self] in time.now + ahead.withLock { $0 } }
        return ProviderClock(watching: transport, wall: wall, clock: time.clock, logger: logger)
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
        let later = HTTPResponse(status: 200, headers: [Self.date(126)])
        let clock = clock(HTTPResponse(status: 200, headers: [Self.date(0)]), wrong, wrong, later)
        try await ask(clock)
        try await ask(clock)
        try await ask(clock)
        #expect(clock.clock.now == .noon)

        time.advance(by: .seconds(6))
        try await ask(clock)
        #expect(clock.clock.now == .noon(126.5))
    }

    /// Out of a proxy's cache, while calls are made all the time.
    @Test func `a date that stands still does not draw the clock back, and is said once`() async throws {
        let said = LogLines()
        let clock = clock(
            ScriptedTransport { _ async throws(TransportError) in HTTPResponse(status: 200, headers: [Self.date(0)]) },
            logger: said.logger)
        for second in 0..<400 {
            try await ask(clock)
            #expect(clock.clock.now == .noon(Double(second)))
            time.advance(by: .seconds(1))
        }
        #expect(!clock.isTold && clock.ahead == nil)
        #expect(said.all == ["warning the provider's `Date` does not advance; this machine's clock is used"])
    }

    @Test func `after a date that stood still the time is told again by dates that advance`() async throws {
        put(Self.year)
        let said = LogLines()
        let clock = clock(
            ScriptedTransport { [time] _ async throws(TransportError) in
                let seconds = Int((time.now - .noon).inSeconds)
                return HTTPResponse(status: 200, headers: [Self.date(seconds < 60 ? 0 : seconds)])
            }, logger: said.logger)
        for second in 0..<120 {
            try await ask(clock)
            switch second {
            // The first is believed while it may be right.
            case 0...3: #expect(clock.isTold && clock.clock.now == .noon(Double(second) + 0.5))
            case 4..<66: #expect(!clock.isTold && clock.clock.now == .noon(Double(second)) + Self.year)
            default: #expect(clock.isTold && clock.clock.now == .noon(Double(second) + 0.5))
            }
            time.advance(by: .seconds(1))
        }
        let differs =
            "error this machine's clock and the provider's differ; the provider's time is used; check NTP on this machine"
        #expect(
            said.all == [
                differs, "warning the provider's `Date` does not advance; this machine's clock is used", differs,
            ])
    }

    @Test func `a time that was told stays when the date stands still later`() async throws {
        put(Self.year * -1)
        let said = LogLines()
        let clock = clock(
            ScriptedTransport { [time] _ async throws(TransportError) in
                let seconds = Int((time.now - .noon).inSeconds)
                return HTTPResponse(status: 200, headers: [Self.date(min(seconds, 20))])
            }, logger: said.logger)
        for second in 0..<120 {
            try await ask(clock)
            #expect(clock.isTold && clock.clock.now == .noon(Double(second) + 0.5))
            time.advance(by: .seconds(1))
        }
        #expect(
            said.all.last == "warning the provider's `Date` does not advance; the time that it told before is used")
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

    @Test(arguments: [1, -1]) func `old rows are removed by the earlier of the two clocks`(sign: Int) async throws {
        put(Self.year * sign)
        let bench = try await Workbench(time: time)
        let log = ScriptedTransport { [time] _ async throws(TransportError) in
            let lines = time.now < .noon(60) ? [LogLine("t-1", "success", at: .noon(-60))] : []
            return .json(LogText.page(lines), headers: [Self.date(Int((time.now - .noon).inSeconds))])
        }
        let wall = WallClock { [self] in time.now + ahead.withLock { $0 } }
        let base = WorkerBase(
            store: bench.store, transport: log, clock: time.clock, wallClock: wall, logger: .silent)
        let generation = Generation(.for(bench, endpoints: ["e-new"]), on: base)
        try await generation.prepare(at: wall.now)
        _ = try await generation.runOnce()
        time.advance(by: .seconds(60))
        _ = try await generation.runOnce()

        #expect(try bench.number("SELECT COUNT(*) FROM log_entry") == 1)
        #expect(generation.pruningClock.now <= .noon(61))
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

    @Test func `a start by a clock that is behind puts nothing right before an answer has told the time`() async throws
    {
        put(.seconds(-3_600))
        let bench = try await Workbench(time: time, endpoints: ["e-new"])
        try await bench.store.recordPoll(of: "e-new", error: nil, at: .noon)
        try bench.execute("UPDATE endpoint SET last_scan_ms = \(Timestamp.noon.milliseconds), head_ms = 0")
        let page = HTTPResponse.json("[]", headers: [Self.date(0)])
        let wall = WallClock { [self] in time.now + ahead.withLock { $0 } }
        let base = WorkerBase(
            store: bench.store, transport: ScriptedTransport([page, page]), clock: time.clock, wallClock: wall,
            logger: .silent)
        let poller = Generation(.for(bench, endpoints: ["e-new"]), on: base).pollers[0].poller

        await #expect(throws: ClockPutBack.self) { try await poller.runOnce(at: wall.now) }
        #expect(try bench.number("SELECT last_scan_ms FROM endpoint") == Int(Timestamp.noon.milliseconds))
        _ = try await poller.runOnce(at: base.wallClock.now)
        #expect(try bench.number("SELECT last_scan_ms FROM endpoint") >= Int(Timestamp.noon.milliseconds))
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

    /// Five days: by this machine's own clock, which nothing contradicts. 100 days: the provider's `Date`.
    @Test(arguments: [5, 100]) func `what a clock that is ahead leaves out is taken up when it is right`(
        days: Int
    ) async throws {
        let ahead = Duration.seconds(days * 86_400)
        put(ahead)
        let bench = try await Workbench(time: VirtualTime(.noon + ahead))
        let log = ScriptedTransport { request async throws(TransportError) in
            let isFirst = !request.url.contains("page=2")
            let lines = isFirst ? [LogLine("t-1", at: .noon(-60))] : [LogLine("t-0", at: .noon(-1_800))]
            return .json(LogText.page(lines, next: isFirst ? "?page=2" : nil))
        }
        let wall = WallClock { [self] in time.now + self.ahead.withLock { $0 } }
        let base = WorkerBase(
            store: bench.store, transport: log, clock: time.clock, wallClock: wall, logger: .silent)
        var configuration = WorkerConfiguration.for(bench, endpoints: ["e-new"])
        configuration.poll.initialLookback = .seconds(3_600)
        let generation = Generation(configuration, on: base)
        try await generation.prepare(at: wall.now)
        let poller = generation.pollers[0].poller
        #expect(try await poller.runOnce(at: wall.now).new == 0)

        put(.zero)
        var new = 0
        for second in 1...3 { new += try await poller.runOnce(at: .noon(Double(second))).new }

        #expect(new == 2)
        #expect(try bench.tasks(.scheduled) == ["t-0", "t-1"])
        #expect(try bench.number("SELECT COUNT(*) FROM scan_gap") == 0)
    }
}
