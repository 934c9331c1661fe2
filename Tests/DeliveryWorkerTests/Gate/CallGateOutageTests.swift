import DeliveryQueue
import Testing

@testable import DeliveryWorker

/// The provider does not answer: its circuit, probed by reading logs.
@Suite struct CallGateOutageTests {
    private let ladder: [Double] = [5, 10, 20, 40, 80, 160, 300, 300, 300]

    private func gate(perSecond: Double = 10, burst: Int = 20) -> CallGate {
        CallGate(perSecond: perSecond, burst: burst, now: .noon)
    }

    /// A gate that is open again after an outage, with one call under way.
    private func gateInTrial() -> CallGate {
        var gate = gate()
        gate.unreachable(at: .noon)
        _ = gate.pauseOfRead(by: "e1", of: 1, at: .noon(5))
        gate.logAnswered(at: .noon(5))
        _ = gate.take(upTo: 1, at: .noon(5))
        return gate
    }

    // MARK: - What begins it

    @Test func `a refused connection is an outage at once, and the call is due when a log can be read`() {
        var gate = gate()

        for call in 0..<16 { #expect(gate.unreachable(at: .noon(Double(call) / 100)) == .seconds(5)) }

        #expect(gate.closed == .outage)
        #expect(gate.opens == .noon(5))
        #expect(gate.take(upTo: 16, at: .noon(1)) == 0)
        #expect(gate.wait(at: .noon(1)) == nil)
    }

    @Test func `four bad answers are the deliveries' own, the fifth in a row is an outage`() {
        var gate = gate()

        for _ in 0..<4 { gate.badAnswer(at: .noon) }
        #expect(gate.closed == nil)
        gate.badAnswer(at: .noon)
        #expect(gate.closed == .outage)
        #expect(gate.opens == .noon(5))
    }

    @Test func `calls and logs count together`() {
        var gate = gate()

        for _ in 0..<2 { gate.badAnswer(at: .noon) }
        for _ in 0..<2 { gate.badRead(at: .noon) }
        #expect(gate.closed == nil)
        gate.badRead(at: .noon)
        #expect(gate.closed == .outage)
    }

    @Test func `a call that is answered breaks the row, a log that can be read only that of the logs`() {
        var gate = gate()

        for _ in 0..<4 { gate.badAnswer(at: .noon) }
        gate.accepted(at: .noon)
        for _ in 0..<4 { gate.badAnswer(at: .noon) }
        gate.callAnswered(at: .noon)
        for _ in 0..<4 { gate.badRead(at: .noon) }
        gate.logAnswered(at: .noon)
        for _ in 0..<4 { gate.badAnswer(at: .noon) }
        #expect(gate.closed == nil)
        gate.logAnswered(at: .noon)
        gate.badAnswer(at: .noon)
        #expect(gate.closed == .outage)
    }

    // MARK: - The ladder

    @Test func `logs are read after 5, 10, 20, 40, 80, 160 and then always 300 seconds, and no call begins`() {
        var gate = gate()
        gate.unreachable(at: .noon)
        var now = Timestamp.noon

        for pause in ladder {
            #expect(gate.pauseOfRead(by: "e1", of: 1, at: now) == .seconds(pause))
            now = now + .seconds(pause)
            #expect(gate.take(upTo: 1, at: now) == 0)
            // It fails, or is never heard of again.
            #expect(gate.pauseOfRead(by: "e1", of: 1, at: now) == nil)
            gate.badRead(at: now)
        }
        #expect(gate.take(upTo: 1, at: now + .seconds(1_000_000)) == 0)
    }

    @Test func `endpoints share one ladder, and each has its turn in every round`() {
        var gate = gate()
        gate.unreachable(at: .noon)

        #expect(gate.pauseOfRead(by: "e1", of: 3, at: .noon(5)) == nil)
        #expect(gate.pauseOfRead(by: "e2", of: 3, at: .noon(5)) == .seconds(10))
        #expect(gate.pauseOfRead(by: "e1", of: 3, at: .noon(15)) == .seconds(1))
        #expect(gate.pauseOfRead(by: "e2", of: 3, at: .noon(15)) == nil)
        // The third is busy with something else: after a second anybody may.
        #expect(gate.pauseOfRead(by: "e2", of: 3, at: .noon(35)) == .seconds(1))
        #expect(gate.pauseOfRead(by: "e1", of: 3, at: .noon(36)) == nil)
        #expect(gate.pauseOfRead(by: "e3", of: 3, at: .noon(76)) == nil)
        #expect(gate.pauseOfRead(by: "e1", of: 3, at: .noon(156)) == nil)
    }

    @Test func `a clock that was set back puts no read and no call off for as long as it was set back`() {
        var gate = gate()
        gate.unreachable(at: .noon)

        #expect(gate.unreachable(at: .noon(-86_400)) == .seconds(5))
        #expect(gate.pauseOfRead(by: "e1", of: 1, at: .noon(-86_400)) == nil)
    }

    // MARK: - Its end

    @Test func `answers to calls from before it open nothing, a log that can be read does`() {
        var gate = gate()
        gate.unreachable(at: .noon)

        gate.accepted(at: .noon(1))
        gate.callAnswered(at: .noon(1))
        #expect(gate.take(upTo: 1, at: .noon(10)) == 0)
        gate.logAnswered(at: .noon(11))

        #expect(gate.take(upTo: 16, at: .noon(11)) == 1)
        #expect(gate.take(upTo: 16, at: .noon(100)) == 0)
    }

    @Test func `when logs can be read and calls get no answer, there is one call after each longer wait`() {
        var gate = gate()
        var now = Timestamp.noon
        for _ in 0..<5 { gate.badAnswer(at: now) }

        for pause in ladder {
            #expect(gate.opens.map { $0 - now } == .seconds(pause))
            now = now + .seconds(pause)
            #expect(gate.pauseOfRead(by: "e1", of: 1, at: now) == nil)
            gate.logAnswered(at: now)
            #expect(gate.take(upTo: 16, at: now) == 1)
            gate.badAnswer(at: now)
            #expect(gate.closed == .outage)
        }
    }

    @Test func `an answered call ends it for good, and the next one begins with the first rung`() {
        var gate = gateInTrial()

        gate.callAnswered(at: .noon(6))
        gate.unreachable(at: .noon(7))

        #expect(gate.opens == .noon(12))
        #expect(gate.closedSince == .noon(7))
    }

    @Test(arguments: [(300, 10, 0), (301, 5, 306)] as [(Double, Double, Double)])
    func `an outage that comes back is the same one within five minutes`(after: Double, pause: Double, since: Double) {
        var gate = gate()
        gate.unreachable(at: .noon)
        _ = gate.pauseOfRead(by: "e1", of: 1, at: .noon(5))
        gate.logAnswered(at: .noon(5))

        gate.unreachable(at: .noon(5 + after))

        #expect(gate.opens == .noon(5 + after + pause))
        #expect(gate.closedSince == .noon(since))
    }

    @Test func `late answers to calls from before it do not spoil a trial that has not begun`() {
        var gate = gate()
        for _ in 0..<5 { gate.badAnswer(at: .noon) }
        gate.logAnswered(at: .noon(5))

        for _ in 0..<11 { gate.badAnswer(at: .noon(6)) }

        #expect(gate.take(upTo: 16, at: .noon(6)) == 1)
    }

    // MARK: - The ramp

    /// Calls that are accepted at once, a look every 10 ms.
    private func ramp(_ gate: inout CallGate, from start: Double, seconds: Double) -> [Int] {
        (0..<Int(seconds)).map { second in
            (0..<100).reduce(0) { count, hundredth in
                let now = Timestamp.noon(start + Double(second) + Double(hundredth) / 100)
                let granted = gate.take(upTo: 16, at: now)
                for _ in 0..<granted { gate.accepted(at: now) }
                return count + granted
            }
        }
    }

    @Test func `after an outage the rate grows with each accepted call, to the whole in ten to twenty seconds`() {
        var gate = gateInTrial()
        #expect(gate.rate == 1.0 / 16)
        gate.accepted(at: .noon(5))

        let calls = ramp(&gate, from: 5, seconds: 30)

        #expect(calls[0] <= 1)
        #expect(calls[0..<5].reduce(0, +) <= 10)
        #expect(zip(calls, calls.dropFirst()).allSatisfy { $0 <= $1 + 1 })
        let whole = calls.firstIndex { $0 >= 9 } ?? 99
        #expect((9...19).contains(whole))
        #expect(calls[20...].allSatisfy { $0 <= 11 })
        #expect(gate.rate == 1)
    }

    @Test(
        arguments: [(10, 0.0625), (100, 0.0625), (4, 0.125), (1, 0.5), (0.5, 1), (0.01, 1)] as [(Double, Double)])
    func `a rate that is low anyway is not ramped to nothing`(perSecond: Double, share: Double) {
        var gate = gate(perSecond: perSecond)
        gate.unreachable(at: .noon)

        gate.logAnswered(at: .noon(5))

        #expect(gate.rate == share)
        #expect(gate.take(upTo: 16, at: .noon(5)) == 1)
    }

    @Test func `what the bucket saved up during an outage is gone`() {
        var gate = gate()
        gate.unreachable(at: .noon)
        gate.logAnswered(at: .noon(3_600))
        _ = gate.take(upTo: 16, at: .noon(3_600))
        gate.callAnswered(at: .noon(3_600))

        #expect(gate.take(upTo: 16, at: .noon(3_601)) == 0)
        #expect(gate.take(upTo: 16, at: .noon(7_200)) == 1)
    }

    @Test func `an outage that ends in a pause ends in a ramp all the same`() {
        var gate = gate()
        gate.unreachable(at: .noon)

        gate.pause(.throttled, for: .seconds(60), at: .noon(5))
        #expect(gate.closed == .throttled)
        #expect(gate.take(upTo: 16, at: .noon(65)) == 1)

        #expect(gate.rate == 1.0 / 16)
    }
}
