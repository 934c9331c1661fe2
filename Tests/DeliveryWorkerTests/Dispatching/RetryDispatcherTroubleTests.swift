import DeliveryQueue
import GRDB
import ProviderAPI
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

@Suite struct RetryDispatcherTroubleTests {
    @Test func `an outcome that the store refuses is kept and recorded in the next turn, without a second call`()
        async throws
    {
        let bench = try await Workbench()
        try await bench.ingest([LogLine("t1"), LogLine("t2")])
        let latch = Latch()
        let transport = ScriptedTransport { _ async throws(TransportError) in
            await latch.pass()
            return .accepted
        }
        let calls = CallsInFlight()
        let dispatcher = bench.dispatcher(transport, calls: calls)

        let turn = Task { try await dispatcher.runOnce(at: .noon) }
        await latch.arrived(2)
        try bench.breakDisk()
        await latch.open()
        await #expect(throws: StoreError.self) { try await turn.value }
        #expect(try bench.tasks(.attempting) == ["t1", "t2"])
        #expect(await calls.count == 2)

        try bench.mendDisk()
        _ = try await dispatcher.runOnce(at: .noon)
        #expect(try bench.tasks(.awaiting) == ["t1", "t2"])
        #expect(await transport.retries.count == 2)
        #expect(await calls.count == 0)
        #expect(try await bench.store.snapshot(at: .noon).count(Counter.retryRequests, "accepted") == 2)
    }

    @Test func `what keeps deliveries from being claimed does not keep outcomes from being recorded`() async throws {
        let bench = try await Workbench()
        try await bench.ingest((0..<3).map { LogLine("t\($0)", at: .noon(-600 + Double($0))) })
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }
        try bench.execute("UPDATE endpoint SET retry_shows = 'new_entry'")
        try bench.execute(
            """
            CREATE TRIGGER broken BEFORE INSERT ON attempt WHEN (SELECT COUNT(*) FROM attempt) > 0
            BEGIN SELECT RAISE(ABORT, 'no more'); END
            """)

        await #expect(throws: StoreError.self) {
            try await bench.dispatcher(transport, concurrency: 1).runOnce(at: .noon)
        }

        #expect(try bench.tasks(.awaiting) == ["t0"])
        #expect(try bench.tasks(.scheduled) == ["t1", "t2"])
        #expect(await transport.retries.count == 1)
    }

    @Test func `calls that end together are recorded together, and one alone at once`() async {
        let calls = CallsInFlight()
        await calls.begin(1)
        #expect(await calls.finish(outcome(1)))
        #expect(await calls.hasEnough)
        #expect(await calls.takeFinished().count == 1)

        await calls.begin(64)
        var wakes: [Int] = []
        for number in 1...64 where await calls.finish(outcome(Int64(number))) { wakes.append(number) }
        #expect(wakes == [1, 22])
    }

    private func outcome(_ deliveryID: Int64) -> CallResult {
        CallResult(
            deliveryID: deliveryID, leaseToken: 1, answer: .accepted, duration: .zero,
            answered: .noon)
    }

    @Test func `tokens of a claim that the store refused come back`() async throws {
        let bench = try await Workbench()
        try await bench.ingest([LogLine("t1")])
        try bench.breakDisk()
        let gate = bench.gate(perSecond: 0.001, burst: 3)
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        await #expect(throws: StoreError.self) { try await bench.dispatcher(transport, gate: gate).runOnce(at: .noon) }

        #expect(await transport.requests.isEmpty)
        #expect(await gate.with { $0.take(upTo: 10, at: .noon) } == 3)
    }

    @Test func `a body that no longer matches its hash is never sent`() async throws {
        let bench = try await Workbench()
        try await bench.ingest([LogLine("t1")])
        try bench.execute("UPDATE delivery_body SET body = CAST('{\"n\": 2}' AS BLOB)")
        let transport = ScriptedTransport { _ async throws(TransportError) in .accepted }

        _ = try await bench.dispatcher(transport).runOnce(at: .noon)

        #expect(await transport.requests.isEmpty)
        #expect(try bench.tasks(.dead) == ["t1"])
    }

    // MARK: - Credentials

    private func loginCredential() -> Credential {
        .login(username: "u", password: .value(Secret("p")))
    }

    @Test func `a 401 renews the token once for all calls, and each call is repeated once`() async throws {
        let bench = try await Workbench()
        try await bench.ingest((0..<8).map { LogLine("t\($0)") })
        let transport = ScriptedTransport { request async throws(TransportError) in
            let token = request.headers.first { $0.name == "Authorization" }?.value
            if request.url.hasSuffix("/user/login") { return .json(#"{"access": "old", "refresh": "r"}"#) }
            if request.url.hasSuffix("/token/refresh/") { return .json(#"{"access": "new"}"#) }
            return token == "Bearer new" ? .accepted : HTTPResponse(status: 401)
        }

        let dispatcher = bench.dispatcher(transport, credential: loginCredential())
        try await dispatcher.client.signIn()
        bench.time.advance(by: .seconds(60))
        _ = try await dispatcher.runOnce(at: bench.time.now)

        let urls = await transport.requests.map(\.url)
        #expect(urls.count { $0.hasSuffix("/user/login") } == 1)
        #expect(urls.count { $0.hasSuffix("/token/refresh/") } == 1)
        #expect(try bench.tasks(.awaiting).count == 8)
        #expect(try bench.number("SELECT SUM(attempts_used) FROM delivery") == 0)
        #expect(await transport.retries.count <= 16)
    }

    @Test func `a credential that stays refused holds everything without using an attempt`() async throws {
        let bench = try await Workbench()
        try await bench.ingest((0..<4).map { LogLine("t\($0)") })
        let gate = bench.gate()
        let transport = ScriptedTransport { request async throws(TransportError) in HTTPResponse(status: 401) }
        let dispatcher = bench.dispatcher(transport, gate: gate, credential: loginCredential())

        _ = try await dispatcher.runOnce(at: .noon)
        bench.time.advance(by: .seconds(3_600))
        _ = try await dispatcher.runOnce(at: bench.time.now)

        #expect(await gate.gate.closed == .credential)
        #expect(await transport.retries.isEmpty)
        #expect(await transport.requests.count == 1)
        #expect(try bench.tasks(.scheduled).count == 4)
        #expect(try bench.number("SELECT SUM(attempts_used) FROM delivery") == 0)
    }

    @Test func `the keeper opens the gate when the login works again`() async throws {
        let bench = try await Workbench()
        let gate = bench.gate()
        let answers = ScriptedTransport([HTTPResponse(status: 401), .json(#"{"access": "a"}"#), .json("[]")])
        let keeper = CredentialKeeper(
            client: bench.client(answers, credential: loginCredential()), endpointIDs: [Workbench.endpoint.id],
            gate: gate, budget: RequestBudget(perMinute: nil, clock: bench.time.clock), logger: .silent)

        #expect(await keeper.runOnce(at: .noon) == false)
        #expect(await answers.requests.isEmpty)
        await gate.with { $0.credentialRefused(at: .noon) }
        #expect(await keeper.runOnce(at: .noon) == false)
        #expect(await gate.gate.closed == .credential)
        #expect(await keeper.runOnce(at: .noon) == true)
        #expect(await gate.gate.closed == nil)
    }

    @Test(arguments: [(401, false), (403, false), (500, true), (200, true)])
    func `a fixed token is tried by reading a log`(_ status: Int, _ opens: Bool) async throws {
        let bench = try await Workbench()
        let gate = bench.gate()
        let answers = ScriptedTransport { _ async throws(TransportError) in
            HTTPResponse(status: status, body: Array("[]".utf8))
        }
        let budget = RequestBudget(perMinute: nil, clock: bench.time.clock)
        let keeper = CredentialKeeper(
            client: bench.client(answers), endpointIDs: [Workbench.endpoint.id], gate: gate, budget: budget,
            logger: .silent)
        await gate.with { $0.credentialRefused(at: .noon) }

        #expect(await keeper.runOnce(at: .noon) == opens)
        #expect(await gate.gate.closed == (opens ? nil : .credential))
        try await budget.count(in: bench.store, at: .noon(0))
        #expect(try await bench.store.snapshot(at: .noon).count(Counter.logRequests, "look") == 1)
    }

    @Test func `deliveries wait until their endpoint's log was looked at since the start`() async throws {
        let bench = try await Workbench()
        try await bench.ingest((0..<3).map { LogLine("t\($0)") })
        bench.time.advance(by: .seconds(3_600))
        let transport = ScriptedTransport { _ async throws(TransportError) in HTTPResponse(status: 200) }
        let coverage = Coverage(within: .seconds(5), clock: bench.time.clock)
        var dispatcher = bench.dispatcher(transport)
        dispatcher.coverage = coverage

        #expect(try await dispatcher.runOnce(at: bench.time.now) { _ in }.started == 0)
        await coverage.took(.lasting(), isNewestFirst: true, of: Workbench.endpoint.id)
        #expect(try await dispatcher.runOnce(at: bench.time.now).started == 3)
    }

    @Test func `a call is not sent when its log was read too long ago by the time that there is a token`() async throws
    {
        let bench = try await Workbench()
        let page = LogText.page([LogLine("t1")])
        let coverage = Coverage(within: .seconds(5), clock: bench.time.clock)
        let log = ScriptedTransport { _ async throws(TransportError) in .json(page) }
        _ = try await bench.poller(log, coverage: coverage).runOnce(at: .noon)
        bench.time.advance(by: .seconds(3_600))
        _ = try await bench.poller(log, coverage: coverage).runOnce(at: bench.time.now)
        let transport = ScriptedTransport { request async throws(TransportError) in
            guard !request.isRetry else { return .accepted }
            bench.time.advance(by: .seconds(6))
            return .json(#"{"access": "a", "refresh": "r"}"#)
        }
        let login = Credential.login(username: "u", password: .value(Secret("p")))
        let dispatcher = bench.dispatcher(transport, credential: login, coverage: coverage)

        #expect(try await dispatcher.runOnce(at: bench.time.now) { _ in }.unread == ["e1"])
        #expect(await transport.retries.isEmpty)
        #expect(try bench.text("SELECT answer || ' ' || outcome FROM attempt") == "late not_executed")
        #expect(try bench.tasks(.scheduled) == ["t1"])
        _ = try await bench.poller(log, coverage: coverage).runOnce(at: bench.time.now)
        #expect(try await dispatcher.runOnce(at: bench.time.now) { _ in }.accepted == 1)
    }
}
