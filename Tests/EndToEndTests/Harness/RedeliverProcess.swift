import Foundation
import GRDB
import TestSupport

/// What a test's configuration says. The defaults are short delays for one sandbox.
struct RedeliverSettings {
    var provider: String
    /// The inside of `provider.auth`.
    var auth: String
    var endpoints: [String]
    var requestTimeout = "20s"
    /// The inside of `provider.log_fields`.
    var fields = ""
    var database = "redeliver.db"
    var poll = "interval: 500ms"
    var confirm = "interval: 250ms, within: 3s"
    var retry = "concurrency: 16, per_second: 200, burst: 50"
    /// Without circuits each delivery has its own clock, as most tests count on.
    var circuit = "enabled: false"
    var policy = "initial_delay: 300ms, multiplier: 2, max_delay: 1s, max_attempts: 20, jitter: 0"
    /// Further lines, from the first column on.
    var more = ""

    init(_ sandbox: SandboxProcess) {
        provider = sandbox.provider
        auth = "token: \"\(sandbox.token)\""
        endpoints = sandbox.endpoints
    }

    /// For a daemon that reaches no provider: its database changes by nothing but what it does at its start.
    init(unreachable endpoint: String) {
        provider = "http://127.0.0.1:9"
        auth = "token: none"
        endpoints = [endpoint]
    }

    var yaml: String {
        """
        provider:
          base_url: \(provider)
          auth: {\(auth)}
          request_timeout: \(requestTimeout)
          log_fields: {\(fields)}
        endpoints:
        \(endpoints.enumerated().map { "  - {id: \"\($1)\", name: receiver-\($0)}" }.joined(separator: "\n"))
        database: \(database)
        metrics: {interval: 1s}
        poll: {\(poll)}
        confirm: {\(confirm)}
        retry: {\(retry)}
        circuit: {\(circuit)}
        policies:
          - {events: ["*"], \(policy)}
        \(more)
        """
    }
}

/// The `redeliver` program as its users have it, with a configuration, a database and a metrics file in one folder.
struct RedeliverProcess {
    let bench: Bench
    let folder: URL

    var configuration: URL { folder.appending(path: "redeliver.yaml") }
    var database: URL { folder.appending(path: "redeliver.db") }
    var metrics: URL { folder.appending(path: "redeliver.prom") }

    init(bench: Bench, folder: URL, settings: RedeliverSettings) throws {
        self.bench = bench
        self.folder = folder
        try write(settings.yaml)
    }

    func write(_ yaml: String) throws {
        try yaml.write(to: configuration, atomically: true, encoding: .utf8)
        // It holds a token.
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: configuration.path)
    }

    /// Starts the daemon and waits until it has its database.
    func start(_ arguments: [String] = [], environment: [String: String] = [:]) async throws -> RunningProgram {
        let program = try bench.start(
            "redeliver", ["run", "--config", configuration.path] + arguments, environment: environment)
        try await waitUntil("the daemon starts") {
            guard program.isRunning else { throw SandboxError("it ended: \(program.errors)") }
            return program.errors.contains(" started")
        }
        return program
    }

    /// Runs a command that needs the configuration.
    func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Finished {
        try await bench.run("redeliver", arguments + ["--config", configuration.path], environment: environment)
    }

    func once() async throws -> Finished {
        try await run("run", "--once")
    }

    /// What `status --json` says.
    func status() async throws -> RedeliverStatus {
        let finished = try await bench.run("redeliver", ["status", "--json", "--database", database.path])
        guard finished.ending == .code(0) else { throw SandboxError("status: \(finished.errors)") }
        return try RedeliverStatus(json: finished.output)
    }

    /// Waits until the database has this many deliveries that are delivered, and no open ones.
    func waitUntilDelivered(_ count: Int) async throws {
        try await waitUntil("\(count) deliveries are delivered") {
            let states = try texts("SELECT state FROM delivery")
            return states.count >= count && states.allSatisfy { $0 == "delivered" }
        }
    }

    /// The first column of a query's rows, read beside the daemon through a read-only connection.
    func texts(_ sql: String) throws -> [String] {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: database.path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.first?.storage.value.map { "\($0)" } ?? ""
            }
        }
    }

    /// Changes the database as time would, while no daemon runs.
    func change(_ sql: String) throws {
        let queue = try DatabaseQueue(path: database.path)
        defer { try? queue.close() }
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    func number(_ sql: String) throws -> Int {
        Int(try texts(sql).first ?? "") ?? -1
    }

    /// Retry calls that the database knows to be executed, by task id.
    func settledAttempts() throws -> [String: Int] {
        let tasks = try texts(
            """
            SELECT delivery.task_id FROM attempt JOIN delivery ON delivery.id = attempt.delivery_id
            WHERE attempt.outcome IN ('delivered', 'failed')
            """)
        return tasks.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
}

/// `redeliver status --json`.
struct RedeliverStatus: Decodable {
    struct Totals: Decodable {
        let scheduled: Int
        let attempting: Int
        let awaiting: Int
        let held: Int
        let delivered: Int
        let dead: Int

        var open: Int { scheduled + attempting + awaiting }
    }

    struct Endpoint: Decodable {
        let id: String
        let active: Bool
        let lastPollError: String?
        let heldBecause: String?
        let circuit: String
        let nextTrial: Double?
    }

    let totals: Totals
    let endpoints: [Endpoint]
    let retryCalls: Int
    let unconfirmedCalls: Int

    init(json: String) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(RedeliverStatus.self, from: Data(json.utf8))
    }
}
