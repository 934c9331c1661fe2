import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker

/// Whom a 403 is about: a delivery, an endpoint's log, or the credential and so everything.
@Suite struct ForbiddenTests {
    private let log = ProviderError(operation: "reading", reason: .forbidden)

    private func gate(endpoints: Int = 2) -> CallGate {
        CallGate(perSecond: 10, burst: 20, endpoints: endpoints, now: .noon)
    }

    private func forbidden(_ grant: Int? = 1) -> RetryAnswer {
        RetryAnswer(kind: .forbidden, grant: grant, status: 403)
    }

    @Test func `a 403 to a call is the delivery's while a log is read with the same grant`() {
        var gate = gate()
        gate.logRead(of: "e1", with: 1, at: .noon)

        #expect(gate.take(forbidden(), at: .noon(1)).answer == .deliveryForbidden)
        #expect(gate.closed == nil)
    }

    @Test(arguments: [nil, 1, 3] as [Int?])
    func `a 403 to a call is the credential's where no log was read with its grant`(read: Int?) {
        var gate = gate()
        if let read { gate.logRead(of: "e1", with: read, at: .noon) }

        #expect(gate.take(forbidden(2), at: .noon(1)) == .init(answer: .forbidden, pause: .seconds(60)))
        #expect(gate.closed == .credential)
    }

    @Test func `a 403 that says nothing of a grant is the credential's`() {
        var gate = gate()
        gate.logRead(of: "e1", with: 1, at: .noon)

        #expect(gate.take(forbidden(nil), at: .noon(1)).answer == .forbidden)
    }

    @Test func `a log that is forbidden is that endpoint's until no log may be read`() {
        var gate = gate()
        gate.logRead(of: "e1", with: 1, at: .noon)
        gate.logRead(of: "e2", with: 1, at: .noon)

        gate.take(log, of: "e1", at: .noon(1))
        #expect(gate.closed == nil)
        #expect(gate.take(forbidden(), at: .noon(1)).answer == .deliveryForbidden)
        gate.take(log, of: "e2", at: .noon(2))
        #expect(gate.closed == .credential)
    }

    @Test func `a first log that is forbidden holds nothing before the others were read`() {
        var gate = gate(endpoints: 3)
        gate.take(log, of: "e1", at: .noon)
        gate.take(log, of: "e1", at: .noon(60))
        gate.take(log, of: "e2", at: .noon(60))

        #expect(gate.closed == nil)
    }

    @Test func `after a refused credential nothing is known of it`() {
        var gate = gate()
        gate.logRead(of: "e1", with: 1, at: .noon)
        gate.credentialRefused(at: .noon(1))
        gate.credentialWorks(at: .noon(2))

        #expect(gate.take(forbidden(), at: .noon(3)).answer == .forbidden)
    }

    @Test func `an answer says when a call was last taken on with its grant`() {
        var gate = gate()
        gate.logRead(of: "e1", with: 1, at: .noon)
        #expect(gate.take(forbidden(), at: .noon).lastTakenOn == nil)
        _ = gate.take(RetryAnswer(kind: .accepted, grant: 1), at: .noon(5))

        #expect(gate.take(forbidden(), at: .noon(9)).lastTakenOn == .noon(5))
        gate.logRead(of: "e1", with: 2, at: .noon(10))
        #expect(gate.take(forbidden(2), at: .noon(11)).lastTakenOn == nil)
    }

    @Test func `a new configuration begins with what it sees itself`() {
        var gate = gate()
        gate.logRead(of: "e1", with: 1, at: .noon)
        gate = gate.adopting(perSecond: 1, burst: 1, endpoints: 2)

        #expect(gate.take(forbidden(), at: .noon(3)).answer == .forbidden)
    }
}
