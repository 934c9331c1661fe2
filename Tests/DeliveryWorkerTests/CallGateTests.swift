import DeliveryQueue
import Testing

@testable import DeliveryWorker

@Suite struct CallGateTests {
    private func gate(perSecond: Double = 10, burst: Int = 20) -> CallGate {
        CallGate(perSecond: perSecond, burst: burst, now: .noon)
    }

    // MARK: - Token bucket

    @Test func `a rested gate lets a whole burst through and not one call more`() {
        var gate = gate()

        #expect(gate.take(upTo: 16, at: .noon) == 16)
        #expect(gate.take(upTo: 16, at: .noon) == 4)
        #expect(gate.take(upTo: 16, at: .noon) == 0)
        #expect(gate.wait(at: .noon) == .milliseconds(100))
    }

    @Test(arguments: [
        (seconds: 0.0, granted: 0), (0.099, 0), (0.1, 1), (0.25, 2), (1, 10), (1.99, 19), (2, 20), (3_600, 20),
    ])
    func `an empty bucket of 10 a second holds this many calls later`(seconds: Double, granted: Int) {
        var gate = gate()
        _ = gate.take(upTo: 20, at: .noon)

        #expect(gate.take(upTo: 100, at: .noon(seconds)) == granted)
    }

    @Test func `fractions of a call add up over many looks`() {
        var gate = gate(perSecond: 0.5, burst: 1)
        _ = gate.take(upTo: 1, at: .noon)

        let granted = (1...40).map { gate.take(upTo: 1, at: .noon(Double($0) * 0.5)) }

        #expect(granted.reduce(0, +) == 10)
        #expect(gate.wait(at: .noon(20)) == .seconds(2))
    }

    @Test func `the wait that is named is long enough for the next call`() {
        for (perSecond, burst) in [(10.0, 20), (3, 1), (0.7, 2), (1.0 / 3, 5), (1_000, 1)] {
            var gate = gate(perSecond: perSecond, burst: burst)
            var now = Timestamp.noon
            for _ in 0..<50 {
                _ = gate.take(upTo: 100, at: now)
                let wait = gate.wait(at: now) ?? .zero
                now = now + wait
                // A binary fraction may miss the whole token by a hair; then the next wait is one millisecond.
                if gate.take(upTo: 1, at: now) == 0 {
                    #expect(gate.wait(at: now) == .milliseconds(1))
                    now = now + .milliseconds(1)
                    #expect(gate.take(upTo: 1, at: now) == 1)
                }
            }
        }
    }

    @Test func `a clock that was set back neither stops the refill nor gives calls away`() {
        var gate = gate()
        _ = gate.take(upTo: 20, at: .noon)

        #expect(gate.take(upTo: 20, at: .noon(-86_400)) == 0)
        #expect(gate.wait(at: .noon(-86_400)) == .milliseconds(100))
        #expect(gate.take(upTo: 20, at: .noon(-86_399)) == 10)
    }

    @Test func `tokens that were not used come back, but never more than a burst`() {
        var gate = gate()
        _ = gate.take(upTo: 16, at: .noon)

        gate.giveBack(10)
        #expect(gate.take(upTo: 100, at: .noon) == 14)
        gate.giveBack(500)
        #expect(gate.take(upTo: 100, at: .noon) == 20)
    }

    @Test func `a burst of nought still lets one call through`() {
        var gate = gate(burst: 0)

        #expect(gate.take(upTo: 5, at: .noon) == 1)
    }

    // MARK: - Pauses that the provider asks for

    @Test(
        arguments: [
            (asked: nil, pause: 30.0), (0.0, 1), (0.2, 1), (1, 1), (7, 7), (3_600, 3_600), (86_400, 3_600),
        ] as [(Double?, Double)])
    func `a pause is honoured between one second and one hour`(asked: Double?, pause: Double) {
        for reason in [CallGate.Closed.throttled, .unavailable] {
            var gate = gate()
            let length = Duration.milliseconds(Int64(pause * 1_000))

            let inForce = gate.pause(reason, for: asked.map { .milliseconds(Int64($0 * 1_000)) }, at: .noon)

            #expect(inForce == length)
            #expect(gate.closed == reason)
            #expect(gate.wait(at: .noon) == length)
            #expect(gate.take(upTo: 1, at: .noon + length - .milliseconds(1)) == 0)
            #expect(gate.take(upTo: 1, at: .noon + length) == 1)
            #expect(gate.closed == nil)
        }
    }

    @Test func `many answers of one storm halve the rate once, the next storm halves it again`() {
        var gate = gate()

        for _ in 0..<16 { gate.pause(.throttled, for: .seconds(5), at: .noon) }
        #expect(gate.rate == 0.5)
        _ = gate.take(upTo: 1, at: .noon(5))
        gate.pause(.throttled, for: .seconds(5), at: .noon(5))
        #expect(gate.rate == 0.25)
    }

    @Test func `the rate never falls below a sixteenth and recovers by a fiftieth with each accepted call`() {
        var gate = gate()
        for storm in 0..<10 {
            _ = gate.take(upTo: 1, at: .noon(Double(storm)))
            gate.pause(.throttled, for: .seconds(1), at: .noon(Double(storm)))
        }
        #expect(gate.rate == 1.0 / 16)

        for _ in 0..<10 { gate.accepted() }
        #expect(abs(gate.rate - (1.0 / 16 + 0.2)) < 1e-9)
        for _ in 0..<50 { gate.accepted() }
        #expect(gate.rate == 1)
    }

    @Test func `at half the rate the refill takes twice as long`() {
        var gate = gate()
        _ = gate.take(upTo: 20, at: .noon)
        gate.pause(.throttled, for: .seconds(1), at: .noon)

        #expect(gate.take(upTo: 100, at: .noon(1)) == 5)
        #expect(gate.wait(at: .noon(1)) == .milliseconds(200))
    }

    @Test func `a pause never shortens another and says what is in force`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(600), at: .noon)

        #expect(gate.pause(.unavailable, for: .seconds(2), at: .noon(1)) == .seconds(599))
        _ = gate.unreachable(at: .noon(2))

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

        gate.accepted()
        gate.providerAnswered()

        #expect(gate.take(upTo: 1, at: .noon(59)) == 0)
    }

    @Test func `a clock that was set back does not keep the gate shut for longer than the longest pause`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(60), at: .noon)

        #expect(gate.wait(at: .noon(-7 * 86_400)).map { $0 <= .seconds(3_600) } == true)
        #expect(gate.take(upTo: 1, at: .noon(-7 * 86_400)) == 1)
    }
}
