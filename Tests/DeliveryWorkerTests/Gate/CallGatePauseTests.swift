import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker

/// 429, 503 and 425: the provider asks to be left alone.
@Suite struct CallGatePauseTests {
    private func gate(perSecond: Double = 10, burst: Int = 20) -> CallGate {
        CallGate(perSecond: perSecond, burst: burst, now: .noon)
    }

    @Test(arguments: [(nil, 30), (0.0, 1), (7, 7), (99_999, 3_600)] as [(Double?, Double)])
    func `a 429 of a log read keeps logs from being read, within the bounds of a pause of calls`(
        asked: Double?, pause: Double
    ) {
        var gate = gate()
        let error = ProviderError(
            operation: "reading", reason: .throttled(retryAfter: asked.map { .seconds($0) }))
        gate.take(error, of: "e1", at: .noon)

        #expect(gate.closed == nil && gate.rate == 1)
        #expect(gate.pauseOfRead(by: "a", of: 1, at: .noon) == .seconds(pause))
        gate = gate.adopting(perSecond: 100, burst: 100)
        #expect(gate.pauseOfRead(by: "b", of: 1, at: .noon(pause - 0.5)) == .milliseconds(500))
        #expect(gate.pauseOfRead(by: "b", of: 1, at: .noon(pause)) == nil)
    }

    @Test func `pauses of reading grow while one follows the other, until a log is read`() {
        var gate = gate()
        let error = ProviderError(operation: "reading", reason: .throttled(retryAfter: nil))
        gate.take(error, of: "e1", at: .noon)
        gate.take(error, of: "e1", at: .noon(30))
        #expect(gate.readingPause(at: .noon(30)) == .seconds(60))
        gate.logAnswered(at: .noon(90))
        gate.take(error, of: "e1", at: .noon(91))
        #expect(gate.readingPause(at: .noon(91)) == .seconds(30))
    }

    @Test(
        arguments: [
            (asked: nil, pause: 30.0), (0.0, 1), (0.2, 1), (1, 1), (7, 7), (3_600, 3_600), (86_400, 3_600),
        ] as [(Double?, Double)])
    func `a pause is honoured between one second and one hour`(asked: Double?, pause: Double) {
        var gate = gate()
        let length = Duration.milliseconds(Int64(pause * 1_000))

        let inForce = gate.pause(.throttled, for: asked.map { .milliseconds(Int64($0 * 1_000)) }, at: .noon)

        #expect(inForce == length)
        #expect(gate.closed == .throttled)
        #expect(gate.wait(at: .noon) == length)
        #expect(gate.take(upTo: 1, at: .noon + length - .milliseconds(1)) == 0)
        #expect(gate.take(upTo: 1, at: .noon + length) == 1)
        #expect(gate.closed == nil)
    }

    @Test func `after a pause one call tries, and the others wait for its answer`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(5), at: .noon)

        #expect(gate.take(upTo: 16, at: .noon(5)) == 1)
        #expect(gate.take(upTo: 16, at: .noon(35)) == 0)
        #expect(gate.wait(at: .noon(35)) == nil)
        gate.accepted(at: .noon(35))
        #expect(gate.take(upTo: 16, at: .noon(36)) > 1)
    }

    @Test func `a trial that found nothing to send is still to be made`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(5), at: .noon)
        _ = gate.take(upTo: 16, at: .noon(5))

        gate.giveBack(1)

        #expect(gate.take(upTo: 16, at: .noon(5)) == 1)
        #expect(gate.take(upTo: 0, at: .noon(6)) == 0)
    }

    @Test func `a trial that nobody heard of again keeps the gate shut for an hour at most`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(5), at: .noon)
        _ = gate.take(upTo: 1, at: .noon(5))

        #expect(gate.take(upTo: 1, at: .noon(3_604)) == 0)
        #expect(gate.take(upTo: 1, at: .noon(3_605)) == 1)
        #expect(gate.take(upTo: 1, at: .noon(-86_400)) == 1)
    }

    /// Each call that is let through gets the same answer again.
    @Test(
        arguments: [
            (asked: nil, pauses: [30, 60, 120, 240, 300, 300, 300]), (1, [1, 2, 4, 8, 16, 30, 30]),
            (20, [20, 20, 20, 20, 20, 30, 30]), (3_600, [3_600, 3_600]),
        ] as [(Double?, [Double])])
    func `a storm that goes on gets one call after ever longer pauses`(asked: Double?, pauses: [Double]) {
        var gate = gate()
        var now = Timestamp.noon
        for _ in 0..<16 { _ = gate.pause(.throttled, for: asked.map { .seconds($0) }, at: now) }

        for pause in pauses {
            #expect(gate.opens.map { $0 - now } == .seconds(pause))
            now = now + .seconds(pause)
            #expect(gate.take(upTo: 16, at: now) == 1)
            gate.pause(.throttled, for: asked.map { .seconds($0) }, at: now)
        }
    }

    @Test(arguments: [(300, 60), (301, 30)] as [(Double, Double)])
    func `a storm long after the last one begins anew`(quiet: Double, pause: Double) {
        var gate = gate()
        gate.pause(.throttled, for: nil, at: .noon)

        gate.pause(.throttled, for: nil, at: .noon(30 + quiet))

        #expect(gate.wait(at: .noon(30 + quiet)) == .seconds(pause))
    }

    @Test func `many answers of one storm halve the rate once, the next storm halves it again`() {
        var gate = gate()

        for _ in 0..<16 { gate.pause(.throttled, for: .seconds(5), at: .noon) }
        #expect(gate.rate == 0.5)
        gate.pause(.throttled, for: .seconds(5), at: .noon(5))
        #expect(gate.rate == 0.25)
    }

    @Test func `the rate never falls below a sixteenth and recovers by a fiftieth with each accepted call`() {
        var gate = gate()
        for storm in 0..<10 { gate.pause(.throttled, for: .seconds(1), at: .noon(Double(storm) * 40)) }
        #expect(gate.rate == 1.0 / 16)

        for _ in 0..<10 { gate.accepted(at: .noon(400)) }
        #expect(abs(gate.rate - (1.0 / 16 + 0.2)) < 1e-9)
        for _ in 0..<50 { gate.accepted(at: .noon(400)) }
        #expect(gate.rate == 1)
    }

    @Test func `at half the rate the bucket fills half as fast and half as full`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(1), at: .noon)
        _ = gate.take(upTo: 1, at: .noon(1))
        gate.callAnswered(at: .noon(1))

        #expect(gate.rate == 0.5)
        #expect(gate.wait(at: .noon(1)) == .milliseconds(200))
        #expect(gate.take(upTo: 100, at: .noon(2)) == 5)
        #expect(gate.take(upTo: 100, at: .noon(3_600)) == 10)
    }

    @Test func `a pause never shortens another and says what is in force`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(600), at: .noon)

        #expect(gate.pause(.unavailable, for: .seconds(2), at: .noon(1)) == .seconds(599))
        gate.unreachable(at: .noon(2))
        for _ in 0..<5 { gate.badAnswer(at: .noon(2)) }

        #expect(gate.closed == .throttled)
        #expect(gate.opens == .noon(600))
    }

    @Test func `a longer pause replaces a shorter one`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(10), at: .noon)

        gate.pause(.unavailable, for: .seconds(60), at: .noon(1))

        #expect(gate.closed == .unavailable)
        #expect(gate.opens == .noon(61))
    }

    @Test func `a usable answer does not lift a pause that the provider asked for`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(60), at: .noon)

        gate.accepted(at: .noon(1))
        gate.logAnswered(at: .noon(1))

        #expect(gate.take(upTo: 1, at: .noon(59)) == 0)
        #expect(gate.rate == 0.5)
    }

    @Test func `a clock that was set back does not keep the gate shut for longer than the longest pause`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(60), at: .noon)

        #expect(gate.wait(at: .noon(-7 * 86_400)).map { $0 <= .seconds(3_600) } == true)
        #expect(gate.take(upTo: 1, at: .noon(-7 * 86_400)) == 1)
    }

    // MARK: - 503 without a time

    @Test func `a pause whose end nobody named ends with a log that can be read`() {
        var gate = gate()
        gate.pause(.unavailable, for: nil, at: .noon)
        #expect(gate.pauseOfRead(by: "e1", of: 1, at: .noon(29)) == .seconds(1))

        #expect(gate.take(upTo: 1, at: .noon(31)) == 0)
        #expect(gate.closed == .outage)
        #expect(gate.pauseOfRead(by: "e1", of: 1, at: .noon(31)) == nil)
        #expect(gate.pauseOfRead(by: "e1", of: 1, at: .noon(31)) == .seconds(5))
        gate.logAnswered(at: .noon(32))
        #expect(gate.take(upTo: 16, at: .noon(32)) == 1)
    }

    @Test func `a named one ends by time alone`() {
        var gate = gate()
        gate.pause(.unavailable, for: .seconds(7), at: .noon)

        #expect(gate.take(upTo: 16, at: .noon(7)) == 1)
    }
}
