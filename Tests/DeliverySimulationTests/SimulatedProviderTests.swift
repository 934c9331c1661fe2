import DeliveryQueue
import DeliveryWorker
import Logging
import ProviderAPI
import Testing

@testable import DeliverySimulation

/// The production client against the simulated provider: what it answers is what the client understands.
@Suite("The simulated provider") struct SimulatedProviderTests {
    private let time = VirtualTime()
    private let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    private func world(_ trace: Scenario.RetryTrace = .sameTaskID, providerOutage: Duration = .zero) -> SimulatedWorld {
        let scenario = Scenario(
            outage: .seconds(600), failures: 60, providerOutage: providerOutage, retryTrace: trace, neighbours: 1)
        return SimulatedWorld(scenario, eventTypes: ["profile_update"])
    }

    private func client(
        _ provider: SimulatedProvider, _ credential: Credential = .token(Secret("t"))
    ) -> ProviderClient {
        ProviderClient(
            baseURL: .nowhere, credential: credential, fields: .standard,
            requestTimeout: .seconds(30), transport: provider, now: { Scenario.beginning.milliseconds }, logger: silent)
    }

    private func pages(of id: String, _ client: ProviderClient) async throws -> [LogPage] {
        var pages = [try await client.logs(of: id)]
        while let next = pages.last?.next { pages.append(try await client.logs(of: id, at: next)) }
        return pages
    }

    private func entries(_ pages: [LogPage]) throws -> [LogEntry] {
        try pages.flatMap(\.items).map { item in
            guard case .entry(let entry) = item else {
                Issue.record("an entry cannot be understood: \(item)")
                throw CancellationError()
            }
            return entry
        }
    }

    @Test func `the log is read newest first, page by page, without a gap`() async throws {
        let world = world()
        let provider = world.provider(in: time)
        try await withTaskExecutorPreference(time) { () async throws -> Void in
            try await time.clock.sleep(for: world.times.recovery)
            let pages = try await pages(of: "receiver", client(provider))
            let entries = try entries(pages)
            let truth = await provider.deliveries()[0].filter { $0.tried < time.now - .seconds(2) }
            #expect(pages.count == (entries.count + 19) / 20)
            #expect(Set(entries.map(\.taskID.text)).isSuperset(of: truth.map { "receiver.\($0.number)" }))
            #expect(entries.count { $0.outcome == .failed } == 60)
            let times = entries.compactMap(\.loggedAt)
            #expect(times.count == entries.count && times == times.sorted(by: >))
        }
    }

    /// Four ways to show a retry's outcome; in each it arrives once and the log says so.
    @Test(arguments: Scenario.RetryTrace.allCases)
    func `a retry delivers and shows in the log`(trace: Scenario.RetryTrace) async throws {
        let world = world(trace)
        let provider = world.provider(in: time)
        try await withTaskExecutorPreference(time) { try await expectRetry(to: provider, in: world, trace) }
    }

    /// A function of its own: Swift 6.3's check of what may be sent crashes on it as a closure.
    private func expectRetry(
        to provider: SimulatedProvider, in world: SimulatedWorld, _ trace: Scenario.RetryTrace
    ) async throws {
        try await time.clock.sleep(for: world.times.recovery)
        let before = try entries(await pages(of: "receiver", client(provider)))
        let failed = try #require(before.first { $0.outcome == .failed })
        let answer = await client(provider).retry(RetryRequest(failed))
        try await time.clock.sleep(for: .seconds(1))
        let after = try entries(await pages(of: "receiver", client(provider)))
        let same = after.filter { $0.body == failed.body }
        let truth = await provider.deliveries()[0]

        #expect(answer.kind == .accepted)
        #expect(same.first?.outcome == .succeeded)
        #expect(same.count == (trace == .inPlace ? 1 : 2))
        #expect((same.first?.taskID == failed.taskID) == (trace == .sameTaskID || trace == .inPlace))
        #expect((answer.namedTaskID == same.first?.taskID.text) == (trace == .namedNewID))
        #expect(truth.count { $0.retries == 1 && $0.arrivals == 1 } == 1)
    }

    @Test func `a retry of another body or of an unknown task is refused`() async throws {
        let world = world()
        let provider = world.provider(in: time)
        try await withTaskExecutorPreference(time) { () async throws -> Void in
            try await time.clock.sleep(for: world.times.recovery)
            let first = try entries(await pages(of: "receiver", client(provider)))[0]
            var request = RetryRequest(first)
            request.body = Array(#"{"event": 123456}"#.utf8)
            let another = await client(provider).retry(request)
            #expect(another.kind == .notFound)
            request.body = Array("null".utf8)
            let none = await client(provider).retry(request)
            #expect(none.kind == .rejected)
        }
    }

    @Test func `a login works, and nothing while the provider is down`() async throws {
        let world = world(providerOutage: .seconds(60))
        let provider = world.provider(in: time)
        let outage = try #require(world.times.providerOutage)
        let login = Credential.login(username: "u", password: .value(Secret("p")))
        try await withTaskExecutorPreference(time) { () async throws -> Void in
            try await time.clock.sleep(for: outage.lowerBound)
            let refused = await refusal { try await client(provider).logs(of: "receiver") }
            #expect(refused == .unreachable)
            try await time.clock.sleep(until: .init(offset: outage.upperBound), tolerance: nil)
        }
        // Outside: a login is shared by its callers and for that is a task of its own.
        let page = try await client(provider, login).logs(of: "neighbour-1")
        #expect(!page.items.isEmpty)
    }

    private func refusal(_ call: () async throws -> LogPage) async -> ProviderError.Kind? {
        do {
            _ = try await call()
            return nil
        } catch {
            return (error as? ProviderError)?.kind
        }
    }
}

extension RetryRequest {
    /// What the worker sends for a logged failure.
    fileprivate init(_ entry: LogEntry) {
        self.init(
            taskIDJSON: entry.taskID.json, customerIDJSON: entry.customerID?.json ?? "null",
            webhookIDJSON: entry.webhookID?.json ?? "null", eventType: entry.eventType ?? "", body: entry.body ?? [])
    }
}
