import DeliveryQueue
import GRDB
import ProviderAPI
import Synchronization
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// The daemon's services with a firewall that forbids what it does not like, on virtual time.
@Suite struct ForbiddenBodyTests {
    private static let evil = "\"a body that a firewall does not like\""
    private let bench: Workbench
    private let fake: FakeProvider
    private let provider: TroubledProvider

    init() async throws {
        bench = try await Workbench()
        fake = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        provider = TroubledProvider(fake, time: bench.time)
    }

    private func fail(_ task: String, _ body: String) async {
        let age = Double(task.utf8.reduce(0) { ($0 * 31 + Int($1)) % 300 })
        await fake.fail(LogLine(task, at: .noon(-600 - age)).with { $0.body = body }, again: 0)
    }

    private func forbid(_ isForbidden: @escaping @Sendable (HTTPRequest) -> Bool) {
        provider.set { isForbidden($0) ? .success(HTTPResponse(status: 403)) : nil }
    }

    private func delivered() throws -> Int {
        try bench.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered'")
    }

    @Test func `one body that a firewall forbids delays no other, and dies after an hour`() async throws {
        for number in 0..<300 { await fail("t\(number)", number == 7 ? Self.evil : "\(number)") }
        forbid { $0.isRetry && $0.bodyText.contains(Self.evil) }

        var arrived: Timestamp?
        try await VirtualDaemon(bench, .for(bench), provider).run { now in
            if arrived == nil, try delivered() == 299 { arrived = now }
            return try bench.tasks(.dead).count == 1 || now > .noon(9_000)
        }

        // 300 calls at 10 a second, and the log's proof of the last ones.
        #expect(try #require(arrived) < .noon(70))
        #expect(try bench.tasks(.dead) == ["t7"])
        #expect(try bench.text("SELECT dead_reason FROM delivery WHERE state = 'dead'") == "rejected")
        #expect(try bench.number("SELECT COUNT(*) FROM attempt WHERE answer = 'delivery_forbidden'") == 2)
        #expect(await fake.received.count == 299)
    }

    @Test func `a first endpoint whose log is forbidden keeps nothing of the others from arriving`() async throws {
        let bench = try await Workbench(endpoints: ["e0", "e1"])
        let fake = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        let provider = TroubledProvider(fake, time: bench.time)
        for number in 0..<5 {
            let line = LogLine("t\(number)", at: .noon(-600 - Double(number))).with { $0.body = "\(number)" }
            await fake.fail(line, again: 0)
        }
        // First everything is forbidden, then only what concerns the first endpoint.
        provider.set { _ in .success(HTTPResponse(status: 403)) }

        var isMended = false
        func delivered() throws -> Int {
            try bench.number("SELECT COUNT(*) FROM delivery WHERE state = 'delivered' AND endpoint_id = 'e1'")
        }
        try await VirtualDaemon(bench, .for(bench, endpoints: ["e0", "e1"]), provider).run { now in
            if !isMended, now > .noon(130) {
                isMended = true
                #expect(
                    try bench.rows("SELECT DISTINCT held_because FROM v_by_endpoint").map { $0["held_because"] }
                        == ["credential"])
                provider.set { $0.url.contains("/e0/") ? .success(HTTPResponse(status: 403)) : nil }
            }
            return try delivered() == 5 || now > .noon(900)
        }

        #expect(try delivered() == 5)
        #expect(bench.time.now < .noon(700))
    }

    @Test func `the only log, forbidden once, costs no five minutes`() async throws {
        await fail("t1", "1")
        let isForbidden = Mutex(true)
        forbid { request in
            isForbidden.withLock { isForbidden in
                defer { if request.isRead { isForbidden = false } }
                return isForbidden && request.isRead
            }
        }

        try await VirtualDaemon(bench, .for(bench), provider).run { now in
            try delivered() == 1 || now > .noon(900)
        }

        #expect(try delivered() == 1)
        #expect(bench.time.now < .noon(120))
    }

    @Test func `an endpoint whose calls are all forbidden is held, loses nothing, and goes on by itself`() async throws
    {
        for number in 0..<20 { await fail("t\(number)", "\(number)") }
        forbid(\.isRetry)

        var isMended = false
        try await VirtualDaemon(bench, .for(bench), provider).run { now in
            if !isMended, now > .noon(4 * 3_600) {
                isMended = true
                #expect(try bench.text("SELECT hold_reason FROM endpoint") == "forbidden")
                provider.set(nil)
            }
            return try delivered() == 20 || now > .noon(10 * 3_600)
        }

        #expect(try delivered() == 20)
        #expect(try bench.number("SELECT SUM(attempts_used) FROM delivery") == 0)
        // Four at once, and then one in 5 min.
        #expect(try bench.number("SELECT COUNT(*) FROM attempt WHERE answer = 'delivery_forbidden'") < 60)
    }
}
