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
}
