import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue

/// A real queue in a folder of its own, with short ways to feed it. Each test makes its own.
final class QueueFixture: Sendable {
    static let endpoint = "ep-1"
    static let other = "ep-2"

    let folder: TemporaryFolder
    let path: String
    let store: QueueStore
    let rules: RetryRules

    /// Endpoints `ep-1` and `ep-2`, whose history begins three days before `start`; the default policy without jitter.
    init(rules: RetryRules = .exact()) async throws {
        self.rules = rules
        folder = try TemporaryFolder()
        path = folder.file("queue.db")
        store = try QueueStore(path: path, now: start)
        try await store.registerEndpoints(
            [(id: Self.endpoint, name: "first"), (id: Self.other, name: "second")], historyFrom: start - .hours(72),
            at: start)
    }

    /// The same file, opened again by a new store.
    init(reopening queue: QueueFixture, rules: RetryRules? = nil, at now: Timestamp) throws {
        self.rules = rules ?? queue.rules
        folder = queue.folder
        path = queue.path
        store = try QueueStore(path: queue.path, now: now)
    }

    // MARK: - Feeding

    /// Stores one page that ends a scan which began at `now`.
    @discardableResult
    func ingest(
        _ observations: LogObservation..., unreadable: [UnreadableObservation] = [], endpoint: String = endpoint,
        progress: ScanProgress? = nil, at now: Timestamp
    ) async throws -> IngestSummary {
        let page = ObservedPage(
            endpointID: endpoint, observations: observations, unreadable: unreadable,
            progress: progress ?? ScanProgress(started: now))
        return try await store.ingest(page, rules: rules, at: now)
    }

    func claim(limit: Int = 100, lease: Duration = .seconds(60), at now: Timestamp) async throws -> [ClaimedDelivery] {
        try await store.claimDue(limit: limit, lease: lease, rules: rules, at: now).deliveries
    }

    /// The one delivery that is due.
    func claimOne(at now: Timestamp) async throws -> ClaimedDelivery {
        let claimed = try await claim(at: now)
        try #require(claimed.count == 1)
        return claimed[0]
    }

    @discardableResult
    func record(
        _ claimed: ClaimedDelivery, _ reply: Reply, naming named: String? = nil, at now: Timestamp
    ) async throws -> RecordSummary {
        try await store.record([outcome(of: claimed, reply, naming: named, at: now)], rules: rules, at: now)
    }

    func outcome(
        of claimed: ClaimedDelivery, _ reply: Reply, naming named: String? = nil, at now: Timestamp
    ) -> CallResult {
        CallResult(
            deliveryID: claimed.id, leaseToken: claimed.leaseToken, answer: reply.answer, pause: reply.pause,
            lastTakenOn: reply.lastTakenOn, namedTaskID: named, duration: .milliseconds(80), answered: now)
    }

    /// A failure at `failed`, whose retry the provider accepted at `called`.
    @discardableResult
    func accepted(
        _ taskID: String, failed: Timestamp, called: Timestamp, naming named: String? = nil
    ) async throws -> ClaimedDelivery {
        try await ingest(.failure(taskID, at: failed), at: failed)
        let claimed = try await claimOne(at: called)
        try await record(claimed, .accepted, naming: named, at: called + .seconds(1))
        return claimed
    }

    @discardableResult
    func settle(at now: Timestamp) async throws -> SettleSummary {
        try await store.settleOverdue(rules: rules, at: now)
    }

    /// When the next operator's retry comes due.
    func nextManualDue(at now: Timestamp) async throws -> Timestamp? {
        try await store.nextWork(after: nil, onlyManual: true, rules: rules, at: now).call
    }

    // MARK: - Looking

    func delivery(_ taskID: String, endpoint: String = endpoint) async throws -> Delivery {
        try #require(try await found(taskID, endpoint: endpoint))
    }

    func isKnown(_ taskID: String, endpoint: String = endpoint) async throws -> Bool {
        try await found(taskID, endpoint: endpoint) != nil
    }

    private func found(_ taskID: String, endpoint: String) async throws -> Delivery? {
        try await store.read("look") { [rules] in
            try RuledTransaction($0, rules: rules, at: start).delivery(endpointID: endpoint, taskID: taskID)
        }
    }

    /// One transaction on the queue.
    @discardableResult
    func change<Value: Sendable>(
        at now: Timestamp = start, _ work: @Sendable @escaping (inout RuledTransaction) throws -> Value
    ) async throws -> Value {
        try await store.change("test", rules: rules, at: now, work)
    }

    func text(_ sql: String, _ arguments: StatementArguments = []) async throws -> String? {
        try await store.pool.read { try String.fetchOne($0, sql: sql, arguments: arguments) }
    }

    func texts(_ sql: String, _ arguments: StatementArguments = []) async throws -> [String] {
        try await store.pool.read { try String.fetchAll($0, sql: sql, arguments: arguments) }
    }

    func number(_ sql: String, _ arguments: StatementArguments = []) async throws -> Int64 {
        try await store.pool.read { try Int64.fetchOne($0, sql: sql, arguments: arguments) ?? 0 }
    }

    func run(_ sql: String, _ arguments: StatementArguments = []) async throws {
        try await store.pool.write { try $0.execute(sql: sql, arguments: arguments) }
    }

    func counter(_ name: String, _ label1: String = "", _ label2: String = "") async throws -> Int64 {
        try await store.snapshot(at: start).count(name, label1, label2)
    }

    func holdReason(_ endpoint: String = endpoint) async throws -> String? {
        try await text("SELECT hold_reason FROM endpoint WHERE id = ?", [endpoint])
    }

    /// Every row of every table as text, without `seen_ms` and without what counts readings.
    func dump() async throws -> [String] {
        try await store.pool.read { db in
            let tables = try String.fetchAll(
                db,
                sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
            return try tables.flatMap { table in
                try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { row in
                    let cells = row.filter { $0.0 != "seen_ms" }.map { "\($0.0)=\($0.1)" }
                    return "\(table): " + cells.joined(separator: " ")
                }.sorted()
            }.filter { !$0.contains(#"label_1="duplicate""#) }
        }
    }
}

// MARK: - Values

/// 2026-01-01T00:00:00Z: the time at which every test begins.
let start = Timestamp(milliseconds: 1_767_225_600_000)

extension Duration {
    static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
    static func hours(_ count: Int) -> Duration { .seconds(count * 3_600) }
    static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}

extension RetryRules {
    /// One policy for all event types, without jitter, so that tests can write times out, and without circuits, so that
    /// each delivery has its own clock.
    static func exact(
        _ spacing: RetryPolicy.Spacing = RetryPolicy.defaultSpacing, confirm: Confirmation = .log,
        maxAge: Duration = .hours(72), onSuperseded: RetryPolicy.Superseded = .retry,
        circuit: CircuitSettings = CircuitSettings(isEnabled: false)
    ) -> RetryRules {
        let policy = RetryPolicy(spacing: spacing, jitter: 0, maxAge: maxAge, onSuperseded: onSuperseded)
        return RetryRules(
            policies: PolicyBook(entries: [.init(events: ["*"], policy: policy)]), confirmation: confirm,
            circuit: circuit)
    }
}

/// An answer of the provider, with the pause that the gate makes after it.
struct Reply: Sendable, Equatable {
    let answer: Answer
    var pause = Duration.zero
    /// When a call was last taken on with the same credential.
    var lastTakenOn: Timestamp?

    static let accepted = Reply(answer: .accepted)
    static let uncertain = Reply(answer: .uncertain)
    static let serverError = Reply(answer: .serverError)
    static let notFound = Reply(answer: .notFound)
    static let rejected = Reply(answer: .rejected)
    static let redirected = Reply(answer: .redirected)
    static let deliveryForbidden = Reply(answer: .deliveryForbidden)

    static func notExecuted(pause: Duration) -> Reply { Reply(answer: .throttled, pause: pause) }
}

extension QueueReader {
    /// The connection as GRDB sees it.
    var queue: DatabaseQueue {
        get throws { try #require(connections.file as? DatabaseQueue) }
    }
}

extension QueueStore {
    /// The file as GRDB sees it, for tests that look at or spoil its rows.
    var pool: any DatabaseWriter { connections.file }

    /// Finds and removes what is past its retention, at most `limit` rows of each kind.
    func prune(limit: Int = 500, at now: Timestamp) async throws(StoreError) -> PruneSummary {
        try await prune(try await oldRows(limit: limit, at: now), limit: limit, at: now)
    }
}

extension Reread {
    /// Only those old rows about which a decision waits.
    static let none = Reread(withOverlap: false, rowsSinceOpening: .distantPast)
}

extension LogObservation {
    /// The log entry `taskID` of a customer's event. Its body is that of the event `of`, by default its own.
    static func entry(
        _ taskID: String, _ outcome: LogOutcome, of event: String? = nil, at logged: Timestamp?,
        changed: Timestamp? = nil, customer: String? = "c-1", type: String? = "profile_update",
        error: String? = nil
    ) -> LogObservation {
        LogObservation(
            taskID: taskID, taskIDJSON: "\"\(taskID)\"", eventType: type, customerID: customer,
            customerIDJSON: customer.map { "\"\($0)\"" } ?? "null", webhookID: "w-1", webhookIDJSON: "\"w-1\"",
            body: Array("{\"event\":\"\(event ?? taskID)\"}".utf8), outcome: outcome, logged: logged,
            changed: changed, error: error)
    }

    static func failure(
        _ taskID: String, of event: String? = nil, at logged: Timestamp?, changed: Timestamp? = nil,
        customer: String? = "c-1", type: String = "profile_update", error: String? = nil
    ) -> LogObservation {
        .entry(
            taskID, .failed, of: event, at: logged, changed: changed, customer: customer, type: type, error: error)
    }

    static func success(
        _ taskID: String, of event: String? = nil, at logged: Timestamp?, changed: Timestamp? = nil,
        customer: String? = "c-1", type: String? = "profile_update"
    ) -> LogObservation {
        .entry(taskID, .succeeded, of: event, at: logged, changed: changed, customer: customer, type: type)
    }

    static func pending(_ taskID: String, of event: String? = nil, at logged: Timestamp?) -> LogObservation {
        .entry(taskID, .inProgress, of: event, at: logged)
    }
}
