import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker

/// A refused credential, what answers teach, what is told to others, and what survives a reload.
@Suite struct CallGateCredentialTests {
    private func gate() -> CallGate {
        CallGate(perSecond: 10, burst: 20, now: .noon)
    }

    // MARK: - Credential

    @Test func `a refused credential closes the gate until it works again, and then one call tries`() {
        var gate = gate()

        gate.credentialRefused(at: .noon)

        #expect(gate.closed == .credential)
        #expect(gate.wait(at: .noon) == nil)
        #expect(gate.pauseOfRead(by: "e1", of: 1, at: .noon) == .seconds(300))
        #expect(gate.take(upTo: 1, at: .noon(1_000_000)) == 0)
        gate.logAnswered(at: .noon)
        gate.accepted(at: .noon)
        #expect(gate.take(upTo: 1, at: .noon) == 0)
        gate.credentialWorks(at: .noon(600))
        #expect(gate.take(upTo: 16, at: .noon(600)) == 1)
        #expect(gate.rate == 1.0 / 16)
    }

    @Test func `no pause opens a gate that a refused credential shut, and a longer one outlasts it`() {
        var gate = gate()
        gate.credentialRefused(at: .noon)

        gate.pause(.throttled, for: .seconds(3_600), at: .noon)
        gate.unreachable(at: .noon)
        for _ in 0..<5 { gate.badAnswer(at: .noon) }
        #expect(gate.closed == .credential)
        #expect(gate.take(upTo: 1, at: .noon(3_000)) == 0)
        gate.credentialWorks(at: .noon(3_000))

        #expect(gate.closed == .throttled)
        #expect(gate.opens == .noon(3_600))
        #expect(gate.take(upTo: 16, at: .noon(3_600)) == 1)
    }

    @Test func `a pause goes on when a credential that was refused meanwhile works`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(600), at: .noon)

        gate.credentialWorks(at: .noon)
        #expect(gate.closed == .throttled)
        gate.credentialRefused(at: .noon(1))
        gate.credentialWorks(at: .noon(300))
        #expect(gate.opens == .noon(600))
        gate.credentialRefused(at: .noon(301))
        gate.credentialWorks(at: .noon(900))

        #expect(gate.take(upTo: 1, at: .noon(900)) == 1)
    }

    // MARK: - What answers teach

    @Test(
        arguments: [
            (answer: Answer.accepted, closed: nil, pause: 0), (.throttled, .throttled, 7),
            (.unavailable, .unavailable, 7), (.unreachable, .outage, 5), (.unauthorized, .credential, 60),
            (.forbidden, .credential, 60), (.deliveryForbidden, nil, 0), (.uncertain, nil, 0), (.serverError, nil, 0),
            (.notFound, nil, 0),
            (.rejected, nil, 0), (.redirected, nil, 0),
        ] as [(Answer, CallGate.Closed?, Double)])
    func `each kind of retry answer has its own effect`(answer: Answer, closed: CallGate.Closed?, pause: Double) {
        var gate = gate()

        let putOff = gate.take(answer, retryAfter: .seconds(7), at: .noon)

        #expect(gate.closed == closed)
        #expect(putOff == .seconds(pause))
    }

    private static let reads: [(ProviderError.Reason, CallGate.Closed?, CallGate.Closed?, Bool)] = [
        (.unauthorized, .credential, .credential, false), (.credential(reason: "x"), .credential, .credential, false),
        (.throttled(retryAfter: nil), nil, nil, false),
        (.unavailable(status: 503, retryAfter: .seconds(9)), .unavailable, .unavailable, false),
        (.unavailable(status: 500, retryAfter: nil), nil, .outage, false),
        (.unreachable(cause: "dns"), nil, .outage, false), (.forbidden, nil, nil, true),
        (.endpointNotFound, nil, nil, true), (.unreadableAnswer(cause: "html"), nil, nil, true),
        (.answerTooLarge(limit: 1), nil, nil, true), (.redirected(status: 301), nil, nil, true),
        (.rejected(status: 400), nil, nil, true),
        (.cancelled, nil, nil, false),
    ]

    /// With a log that nobody finds, calls must go on all the same after an outage.
    @Test(arguments: reads)
    func `a log that cannot be read tells of the provider as a whole or shows that it answers`(
        reason: ProviderError.Reason, once: CallGate.Closed?, often: CallGate.Closed?, endsOutage: Bool
    ) {
        let error = ProviderError(operation: "reading", reason: reason)
        var gate = CallGate(perSecond: 10, burst: 20, endpoints: 2, now: .noon)
        gate.take(error, of: "e1", at: .noon)
        #expect(gate.closed == once)
        for _ in 0..<4 { gate.take(error, of: "e1", at: .noon) }
        #expect(gate.closed == often)

        var shut = CallGate(perSecond: 10, burst: 20, endpoints: 2, now: .noon)
        shut.unreachable(at: .noon)
        shut.take(error, of: "e1", at: .noon(5))
        #expect((shut.take(upTo: 16, at: .noon(5)) == 1) == endsOutage)
    }

    // MARK: - What it tells

    @Test func `its standing names the reason, its beginning, its end and the rate`() {
        var gate = gate()
        #expect(gate.standing(at: .noon) == GateStanding(rate: 1, isTrial: false))
        gate.pause(.throttled, for: .seconds(60), at: .noon)
        let pause = GateStanding(reason: .throttled, since: .noon, until: .noon(60), rate: 0.5, isTrial: false)
        #expect(gate.standing(at: .noon(59)) == pause)
        #expect(pause.throttledUntil == .noon(60))

        // Time alone ends it, whether or not somebody asked for a call.
        #expect(gate.standing(at: .noon(60)) == GateStanding(rate: 0.5, isTrial: true))
        gate.pause(.throttled, for: .seconds(60), at: .noon(61))
        #expect(gate.standing(at: .noon(62)).since == .noon)
        gate.credentialRefused(at: .noon(70))
        let refused = gate.standing(at: .noon(71))
        #expect(refused == GateStanding(reason: .credential, since: .noon(70), rate: 0.25, isTrial: false))
        #expect(refused.throttledUntil == nil)
    }

    @Test func `an outage says when the next log is read, which is no time the provider asked for`() {
        var gate = gate()
        gate.unreachable(at: .noon)

        let standing = gate.standing(at: .noon(1))

        #expect(standing == GateStanding(reason: .outage, since: .noon, until: .noon(5), rate: 1, isTrial: false))
        #expect(standing.throttledUntil == nil)
    }

    // MARK: - After a reload

    @Test func `a pause goes on under a new rate and burst`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(60), at: .noon)
        gate = gate.adopting(perSecond: 100, burst: 2)

        #expect(gate.closed == .throttled)
        #expect(gate.take(upTo: 16, at: .noon(60)) == 1)
        gate.accepted(at: .noon(60))
        for _ in 0..<50 { gate.accepted(at: .noon(60)) }
        #expect(gate.take(upTo: 16, at: .noon(60.015)) == 1)
        #expect(gate.take(upTo: 16, at: .noon(90)) == 2)
    }

    @Test func `a trial is made again, because its call ended with the old configuration`() {
        var gate = gate()
        gate.pause(.throttled, for: .seconds(1), at: .noon)
        _ = gate.take(upTo: 1, at: .noon(1))

        gate = gate.adopting(perSecond: 1_000, burst: 20)

        #expect(gate.take(upTo: 16, at: .noon(2)) == 1)
    }

    // MARK: - Nothing keeps it shut

    /// Whatever happened before: once the provider answers everything, the gate is open at the whole rate within the
    /// longest pause and a ramp.
    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `a provider that is well again gets all calls again`(seed: UInt64) {
        var random = Jitter(endpointID: "e", taskID: "t", cycle: 1, attempt: Int(seed))
        var gate = gate()
        var now = Timestamp.noon
        for _ in 0..<60 {
            now = now + .milliseconds(Int64.random(in: 0...400_000, using: &random))
            switch Int.random(in: 0..<12, using: &random) {
            case 0: gate.pause(.throttled, for: .seconds(Int.random(in: 0...4_000, using: &random)), at: now)
            case 1: gate.pause(.unavailable, for: nil, at: now)
            case 2: gate.unreachable(at: now)
            case 3: for _ in 0..<5 { gate.badAnswer(at: now) }
            case 4: for _ in 0..<5 { gate.badRead(at: now) }
            case 5: gate.credentialRefused(at: now)
            case 6: gate.credentialWorks(at: now)
            case 7: gate.accepted(at: now)
            case 8: gate.logAnswered(at: now)
            case 9: _ = gate.pauseOfRead(by: "e\(seed % 3)", of: 3, at: now)
            default: _ = gate.take(upTo: 16, at: now)
            }
        }
        // The calls under way are answered, the login works.
        gate.callAnswered(at: now)
        gate.credentialWorks(at: now)

        let limit = now + .seconds(3_600 + 60)
        while gate.rate < 1 || gate.closed != nil, now < limit {
            now = now + .seconds(1)
            if gate.pauseOfRead(by: "e0", of: 3, at: now) == nil, gate.closed == .outage { gate.logAnswered(at: now) }
            for _ in 0..<gate.take(upTo: 16, at: now) { gate.accepted(at: now) }
        }
        #expect(now < limit)
    }
}
