import DeliveryQueue
import Foundation
import GRDB
import HostileInput
import Logging
import ProviderAPI

@testable import DeliveryQueue
@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// A real database in a folder of its own, virtual time, and the duties of the worker around a scripted transport.
final class Workbench: Sendable {
    static let base = "https://provider.test"
    static let baseAddress: BaseAddress = "https://provider.test"
    static let endpoint = WorkerConfiguration.Endpoint(id: "e1", name: "core", webhookID: nil)

    let folder: String
    let store: QueueStore
    let time: VirtualTime
    let lookback: Duration
    let rules: RetryRules
    /// As if all logs were read just now, whatever the time; for tests of what comes after that.
    let coverage: Coverage

    var path: String { folder + "/redeliver.db" }

    init(
        policy: RetryPolicy = .quick, rules: RetryRules? = nil, lookback: Duration = .seconds(72 * 3_600),
        time: VirtualTime = VirtualTime(), endpoints: [String] = ["e1"]
    ) async throws {
        folder = NSTemporaryDirectory() + "redeliver-worker-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.time = time
        self.lookback = lookback
        self.rules =
            rules
            ?? RetryRules(
                policies: PolicyBook(entries: [.init(events: ["*"], policy: policy)]),
                circuit: CircuitSettings(isEnabled: false))
        // Statements run on the calling thread, so that virtual time waits for them. And nobody cuts the power here.
        store = try QueueStore.forSimulation(path: folder + "/redeliver.db", isDurable: false, now: time.now) {
            await Task.yield()
        }
        try await store.registerEndpoints(
            endpoints.map { (id: $0, name: $0 == "e1" ? "core" : $0) }, historyFrom: time.now - lookback,
            at: .noon(-3_600))
        coverage = Coverage(within: .seconds(5), clock: time.clock)
        for endpoint in endpoints { await coverage.took(.lasting(), isNewestFirst: false, of: endpoint) }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func gate(perSecond: Double = 1_000, burst: Int = 1_000) -> SharedGate {
        SharedGate(CallGate(perSecond: perSecond, burst: burst, now: time.now))
    }

    func client(
        _ transport: any HTTPTransport, credential: Credential = .token(Secret("t-1")), fields: FieldNames = .standard
    ) -> ProviderClient {
        ProviderClient(
            baseURL: Self.baseAddress, credential: credential, fields: fields, requestTimeout: .seconds(30),
            transport: transport, now: { [time] in time.now.milliseconds }, clock: time.clock, logger: .silent)
    }

    func poller(
        _ transport: any HTTPTransport, gate: SharedGate? = nil,
        coverage: Coverage? = nil, endpoint: WorkerConfiguration.Endpoint = Workbench.endpoint,
        store: QueueStore? = nil, budget: RequestBudget? = nil, disk: DiskRoom = .endless, logger: Logger = .silent
    ) -> LogPoller {
        LogPoller(
            store: store ?? self.store, client: client(transport), gate: gate ?? self.gate(),
            coverage: coverage ?? Coverage(within: .seconds(5), clock: time.clock),
            budget: budget ?? RequestBudget(perMinute: nil, clock: time.clock), endpoint: endpoint,
            poll: .init(interval: .seconds(60), overlap: .seconds(900), initialLookback: lookback),
            rules: rules, disk: disk, wallClock: time.wallClock, logger: logger)
    }

    func dispatcher(
        _ transport: any HTTPTransport, gate: SharedGate? = nil, concurrency: Int = 16,
        credential: Credential = .token(Secret("t-1")), calls: CallsInFlight = CallsInFlight(),
        store: QueueStore? = nil, coverage: Coverage? = nil
    ) -> RetryDispatcher {
        RetryDispatcher(
            store: store ?? self.store, client: client(transport, credential: credential), gate: gate ?? self.gate(),
            calls: calls,
            retry: .init(concurrency: concurrency, perSecond: 1_000, burst: 1_000, freshWithin: .seconds(5)),
            rules: rules,
            lease: .seconds(150), bell: Bell(), pollBells: [:], coverage: coverage ?? self.coverage,
            clock: time.clock, wallClock: time.wallClock,
            logger: .silent)
    }

    /// Stores these entries as one whole page of the endpoint's log.
    func ingest(_ lines: [LogLine]) async throws {
        let page = LogText.page(lines)
        let transport = ScriptedTransport { _ async throws(TransportError) in .json(page) }
        _ = try await poller(transport).runOnce(at: time.now)
    }

    // MARK: - Looking into the database

    func rows(_ sql: String) throws -> [Row] {
        try store.connections.file.read { try Row.fetchAll($0, sql: sql) }
    }

    func number(_ sql: String) throws -> Int {
        try store.connections.file.read { try Int.fetchOne($0, sql: sql) } ?? 0
    }

    func text(_ sql: String) throws -> String? {
        try store.connections.file.read { try String.fetchOne($0, sql: sql) }
    }

    func execute(_ sql: String) throws {
        try store.connections.file.write { try $0.execute(sql: sql) }
    }

    /// Task ids by state, sorted.
    func tasks(_ state: DeliveryState) throws -> [String] {
        try rows("SELECT task_id FROM delivery WHERE state = '\(state.rawValue)' ORDER BY task_id")
            .map { $0["task_id"] }
    }

    /// Rejects writes to deliveries until `mendDisk()`, as a full disk would.
    func breakDisk() throws {
        try execute(
            """
            CREATE TRIGGER broken BEFORE UPDATE ON delivery
            BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END
            """)
    }

    func mendDisk() throws {
        try execute("DROP TRIGGER broken")
    }
}

extension RetryPolicy {
    /// Due at once, then after 1 m, 2 m, …; without jitter, so that times can be written out.
    static let quick = RetryPolicy(
        spacing: .listed([.zero, .seconds(60), .seconds(120), .seconds(240), .seconds(480)]), jitter: 0)
}

extension Freshness.Look {
    /// A reading of the whole log that is good for years.
    static func lasting(from requested: Duration = .zero, openings: Int64 = 0) -> Freshness.Look {
        Freshness.Look(
            requested: requested, ended: requested + .seconds(86_400 * 3_650), rowsSince: .distantPast, cut: .none,
            isDeep: true, openings: openings)
    }
}

extension RetryDispatcher {
    /// A turn in which every look finds nothing, at once.
    func runOnce(_ work: Work = .due, at now: Timestamp) async throws -> DispatchSummary {
        try await runOnce(work, at: now) { endpoint in
            let plan = try? await store.scanPlan(
                of: endpoint, overlap: .zero,
                rereading: Reread(withOverlap: false, rowsSinceOpening: .distantPast), rules: rules, at: now)
            guard let plan else { return }
            await coverage.took(
                .lasting(from: coverage.now, openings: plan.openings), isNewestFirst: false, of: endpoint)
        }
    }
}

extension Logger {
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}
