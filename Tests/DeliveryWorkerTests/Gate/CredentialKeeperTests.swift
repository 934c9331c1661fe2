import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker

/// How a refused credential is tried: by one log after the other.
@Suite struct CredentialKeeperTests {
    private let bench: Workbench
    private let gate: SharedGate

    init() async throws {
        bench = try await Workbench()
        gate = SharedGate(CallGate(perSecond: 10, burst: 20, endpoints: 8, now: .noon))
        await gate.with { $0.credentialRefused(at: .noon) }
    }

    /// - Parameter answers: by endpoint; a log that is not named is forbidden.
    private func keeper(_ answers: [String: Int], of count: Int = 8) -> (CredentialKeeper, ScriptedTransport) {
        let transport = ScriptedTransport { request async throws(TransportError) in
            let status = answers.first { request.url.contains("/\($0.key)/") }?.value ?? 403
            return .json("[]", status: status)
        }
        let keeper = CredentialKeeper(
            client: bench.client(transport), endpointIDs: (1...count).map { "e\($0)" }, gate: gate,
            budget: RequestBudget(perMinute: nil, clock: bench.time.clock), logger: .silent)
        return (keeper, transport)
    }

    @Test(arguments: [403, 404, 410, 400])
    func `a first endpoint whose log is forbidden or missing does not end the probe`(status: Int) async {
        let (keeper, transport) = keeper(["e1": status, "e3": 200])

        #expect(await keeper.runOnce(at: .noon))
        #expect(await gate.gate.closed == nil)
        #expect(await transport.reads.count == 3)
    }

    @Test func `a turn reads a few logs, and the next one goes on behind them`() async {
        let (keeper, transport) = keeper(["e7": 200])

        #expect(await keeper.runOnce(at: .noon) == false)
        #expect(await transport.reads.count == CredentialKeeper.logsPerTurn)
        #expect(await keeper.runOnce(at: .noon(300)))
        #expect(await transport.reads.count == CredentialKeeper.logsPerTurn + 2)
    }

    @Test func `the log that could be read is the first to be tried the next time`() async {
        let (keeper, transport) = keeper(["e3": 200])
        _ = await keeper.runOnce(at: .noon)
        await gate.with { $0.credentialRefused(at: .noon(10)) }

        #expect(await keeper.runOnce(at: .noon(300)))
        #expect(await transport.reads.count == 4)
    }

    @Test(arguments: [401, 403])
    func `a credential that no log is read with stays refused`(status: Int) async {
        let (keeper, transport) = keeper(["e1": status], of: 2)

        #expect(await keeper.runOnce(at: .noon) == false)
        #expect(await gate.gate.closed == .credential)
        #expect(await transport.reads.count == (status == 401 ? 1 : 2))
    }

    @Test func `what the probe has read tells whom a 403 is about`() async {
        let (keeper, _) = keeper(["e2": 200])
        _ = await keeper.runOnce(at: .noon)

        let grant = await gate.with { $0.take(RetryAnswer(kind: .forbidden, grant: 0, status: 403), at: .noon(1)) }
        #expect(grant.answer == .deliveryForbidden)
    }
}
