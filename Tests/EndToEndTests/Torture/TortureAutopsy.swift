import Foundation
import GRDB
import Testing

/// Looks at what a killed daemon left behind: whether it is whole, and where it was struck.
struct TortureAutopsy {
    private let redeliver: RedeliverProcess
    private let sandbox: SandboxProcess
    /// The names of the series of a whole metrics file.
    private let series: Set<String>
    private var metrics = ""

    /// - Parameter redeliver: has written a metrics file and was stopped in order.
    init(redeliver: RedeliverProcess, sandbox: SandboxProcess) throws {
        self.redeliver = redeliver
        self.sandbox = sandbox
        series = Self.names(try String(contentsOf: redeliver.metrics, encoding: .utf8))
    }

    /// Checks everything that must hold after any kill, and tells where this one struck.
    mutating func examine(plan: TorturePlan, lastTalk: String?, story: Comment) async throws -> Set<KillPlace> {
        try expectNoRubbish(story)
        try expectWholeMetrics(story)
        let remains = try Remains(database: redeliver.database)
        #expect(remains.faults == [], story)
        var places = Self.places(of: plan.point.kind, lastTalk: lastTalk)
        if lastTalk == nil { places.insert(.atRandom) }
        if remains.hasGap { places.insert(.inScan) }
        if remains.isDue, remains.openCalls.isEmpty { places.insert(.beforeIntent) }
        guard !remains.openCalls.isEmpty else { return places }
        let calls = try await sandbox.ledger().retries
        for open in remains.openCalls {
            places.insert(Self.place(of: calls.last { $0.taskId == open.taskID && $0.atMs >= open.intent }))
        }
        return places
    }

    private static func places(of kind: String, lastTalk: String?) -> Set<KillPlace> {
        guard let lastTalk else { return [] }
        let base = kind.prefix { $0 != "/" }
        switch base {
        case "log-answer": return [.inPage]
        case "wal-write", "wal-sync": return lastTalk == "log-answer" ? [.inCommit, .inPage] : [.inCommit]
        case "main-write", "main-sync": return [.inCheckpoint]
        default: return base.hasPrefix("metrics") ? [.inMetrics] : []
        }
    }

    /// - Parameter call: the one that an open intent announced; nil: the provider never got it.
    private static func place(of call: SandboxLedger.Call?) -> KillPlace {
        guard let call else { return .beforeCall }
        return call.clientLeft == true || call.status == nil ? .inCall : .afterAnswer
    }

    private func expectNoRubbish(_ story: Comment) throws {
        let known =
            ["redeliver.yaml", "redeliver.prom"]
            + ["", "-wal", "-shm", ".lock", ".running"].map { "redeliver.db\($0)" }
        let all = try FileManager.default.contentsOfDirectory(atPath: redeliver.folder.path)
        // The next start removes what a kill leaves of the metrics file, so there is never more than one.
        let names = all.filter { !$0.hasPrefix("redeliver.prom.partial-") }
        #expect(all.count - names.count <= 1, story)
        #expect(Set(names).subtracting(known).isEmpty, story)
    }

    /// The old file or a new one, never a part.
    private mutating func expectWholeMetrics(_ story: Comment) throws {
        let text = try String(contentsOf: redeliver.metrics, encoding: .utf8)
        guard text != metrics else { return }
        metrics = text
        #expect(text.hasSuffix("\n"), story)
        #expect(series.isSubset(of: Self.names(text)), story)
        let values = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(values.allSatisfy { Double($0.split(separator: " ").last ?? "") != nil }, story)
    }

    private static func names(_ text: String) -> Set<String> {
        Set(text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map(String.init))
    }
}

/// What a database shows whose daemon was killed.
private struct Remains {
    /// What SQLite itself finds wrong; empty: nothing.
    var faults: [String] = []
    var openCalls: [(taskID: String, intent: Int)] = []
    var isDue = false
    var hasGap = false

    init(database: URL) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: database.path, configuration: configuration)
        defer { try? queue.close() }
        try queue.read { db in
            faults = try String.fetchAll(db, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            faults += try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { "\($0)" }
            openCalls = try Row.fetchAll(
                db,
                sql: """
                    SELECT delivery.task_id, attempt.intent_ms FROM attempt JOIN delivery ON delivery.id = delivery_id
                    WHERE answered_ms IS NULL
                    """
            ).map { ($0[0], $0[1]) }
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            isDue =
                try Bool.fetchOne(
                    db, sql: "SELECT EXISTS (SELECT 1 FROM delivery WHERE next_attempt_ms <= ?)", arguments: [now])
                ?? false
            hasGap = try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM scan_gap)") ?? false
        }
    }
}
