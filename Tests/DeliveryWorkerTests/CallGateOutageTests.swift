import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker

@Suite struct CallGateOutageTests {
    private let ladder: [Double] = [5, 10, 20, 40, 80, 160, 300, 300, 300]

    @Test func `an outage pauses for 5, 10, 20, 40, 80, 160 and then always 300 seconds`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)
        var now = Timestamp.noon

        for pause in ladder {
            #expect(gate.unreachable(at: now) == .seconds(pause))
            #expect(gate.closed == .outage)
            #expect(gate.take(upTo: 1, at: now + .seconds(pause) - .milliseconds(1)) == 0)
            now = now + .seconds(pause)
            #expect(gate.take(upTo: 1, at: now) == 1)
        }
    }

    @Test func `refusals of calls that were under way together climb the ladder once`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)

        for call in 0..<16 { _ = gate.unreachable(at: .noon(Double(call) / 100)) }

        #expect(gate.opens == .noon(5))
        _ = gate.take(upTo: 1, at: .noon(5))
        #expect(gate.unreachable(at: .noon(5)) == .seconds(10))
    }

    @Test func `an answer of the provider ends the outage and the ladder begins anew`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)
        for step in 0..<4 { _ = gate.unreachable(at: .noon(Double(step) * 1_000)) }

        gate.providerAnswered()

        #expect(gate.closed == nil)
        #expect(gate.take(upTo: 1, at: .noon(3_001)) == 1)
        #expect(gate.unreachable(at: .noon(3_001)) == .seconds(5))
    }

    @Test func `an outage puts no delivery off for as long as the clock was set back`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)
        _ = gate.unreachable(at: .noon)

        #expect(gate.unreachable(at: .noon(-86_400)) <= .seconds(300))
    }

    @Test func `an outage leaves the rate alone`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)

        _ = gate.unreachable(at: .noon)

        #expect(gate.rate == 1)
    }

    @Test func `four bad answers are the deliveries' own, the fifth in a row is an outage`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)

        for _ in 0..<4 { gate.badAnswer(at: .noon) }
        #expect(gate.closed == nil)
        gate.badAnswer(at: .noon)
        #expect(gate.closed == .outage)
        #expect(gate.opens == .noon(5))
    }

    @Test func `an accepted call between bad answers breaks the row`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)

        for _ in 0..<4 { gate.badAnswer(at: .noon) }
        gate.accepted()
        for _ in 0..<4 { gate.badAnswer(at: .noon) }

        #expect(gate.closed == nil)
    }

    // MARK: - Credential

    @Test func `a refused credential closes the gate until it works again`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)

        gate.credentialRefused()

        #expect(gate.closed == .credential)
        #expect(gate.wait(at: .noon) == nil)
        #expect(gate.take(upTo: 1, at: .noon(1_000_000)) == 0)
        gate.providerAnswered()
        gate.accepted()
        #expect(gate.take(upTo: 1, at: .noon) == 0)
        gate.credentialWorks()
        #expect(gate.take(upTo: 1, at: .noon) == 1)
    }

    @Test func `no pause opens a gate that a refused credential shut`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)
        gate.credentialRefused()

        gate.pause(.throttled, for: .seconds(1), at: .noon)
        _ = gate.unreachable(at: .noon)
        for _ in 0..<5 { gate.badAnswer(at: .noon) }

        #expect(gate.closed == .credential)
        #expect(gate.take(upTo: 1, at: .noon(3_600)) == 0)
    }

    @Test func `a credential that works does not lift another pause`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)
        gate.pause(.throttled, for: .seconds(60), at: .noon)

        gate.credentialWorks()

        #expect(gate.closed == .throttled)
    }

    // MARK: - What answers teach

    @Test(
        arguments: [
            (kind: RetryAnswer.Kind.accepted, closed: nil, pause: 0), (.throttled, .throttled, 7),
            (.unavailable, .unavailable, 7), (.unreachable, .outage, 5), (.unauthorized, .credential, 60),
            (.forbidden, .credential, 60), (.uncertain, nil, 0), (.serverError, nil, 0), (.notFound, nil, 0),
            (.rejected, nil, 0), (.redirected, nil, 0),
        ] as [(RetryAnswer.Kind, CallGate.Closed?, Double)])
    func `each kind of retry answer has its own effect`(kind: RetryAnswer.Kind, closed: CallGate.Closed?, pause: Double)
    {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)

        let putOff = gate.learn(from: RetryAnswer(kind: kind, retryAfter: .seconds(7)), at: .noon)

        #expect(gate.closed == closed)
        #expect(putOff == .seconds(pause))
    }

    @Test(
        arguments: [
            (reason: ProviderError.Reason.unauthorized, closed: CallGate.Closed.credential),
            (.credential(reason: "x"), .credential), (.throttled(retryAfter: nil), .throttled),
            (.unavailable(status: 503, retryAfter: .seconds(9)), .unavailable),
            (.unavailable(status: 500, retryAfter: nil), .outage), (.unreachable(cause: "dns"), .outage),
            (.forbidden, nil), (.endpointNotFound, nil), (.unreadableAnswer(cause: "html"), nil),
            (.answerTooLarge(limit: 1), nil), (.foreignNextPage(origin: "x"), nil), (.redirected(status: 301), nil),
            (.rejected(status: 400), nil), (.cancelled, nil),
        ] as [(ProviderError.Reason, CallGate.Closed?)])
    func `a log that cannot be read closes the gate only where the provider as a whole is concerned`(
        reason: ProviderError.Reason, closed: CallGate.Closed?
    ) {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)

        gate.learn(from: ProviderError(operation: "reading", reason: reason), at: .noon)

        #expect(gate.closed == closed)
    }

    @Test func `polls wait for a pause or a login, never for an outage`() {
        var gate = CallGate(perSecond: 10, burst: 20, now: .noon)
        #expect(gate.pollPause(at: .noon) == nil)

        _ = gate.unreachable(at: .noon)
        #expect(gate.pollPause(at: .noon) == nil)
        gate.pause(.throttled, for: .seconds(60), at: .noon)
        #expect(gate.pollPause(at: .noon(10)) == .seconds(50))
        #expect(gate.pollPause(at: .noon(60)) == nil)
        gate.credentialRefused()
        #expect(gate.pollPause(at: .noon) == .seconds(300))
    }
}
