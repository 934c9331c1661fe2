import Crypto
import Foundation
import GRDBSQLite

/// The rows that ingest stores, written by SQLite's C API alone with prepared statements and nothing in between: the
/// wall that ingest is measured against.
final class BareSQLite {
    /// One failure as the three rows that it becomes.
    struct Failure {
        let taskID: [UInt8]
        let taskIDJSON: [UInt8]
        let customerID: [UInt8]
        let customerIDJSON: [UInt8]
        let body: [UInt8]
        let sha256: [UInt8]
        let logged: Int64
    }

    struct Fault: Error {
        let code: Int32
        let message: String
    }

    private var connection: OpaquePointer?
    private var statements: [String: OpaquePointer] = [:]

    /// - Parameter path: a database of the program's schema, so that tables and indexes are the same.
    init(path: String) throws {
        try check(sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, nil))
        try run("PRAGMA synchronous = FULL")
        try run("PRAGMA foreign_keys = ON")
    }

    func close() {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close(connection)
    }

    /// The values of pages made by `LogPages`, ready to be bound.
    static func failures(_ count: Int, newest: Int64, name: String) -> [Failure] {
        (0..<count).map { number in
            let body = Array(LogPages.body(number, name: name).utf8)
            return Failure(
                taskID: Array("\(name)-\(number)".utf8), taskIDJSON: Array("\"\(name)-\(number)\"".utf8),
                customerID: Array("customer-\(number % 50_000)".utf8),
                customerIDJSON: Array("\"customer-\(number % 50_000)\"".utf8), body: body,
                sha256: Array(SHA256.hash(data: body)), logged: newest - Int64(number))
        }
    }

    /// Stores the failures in transactions of one page each.
    func store(_ failures: [Failure], of endpoint: String, at now: Int64) throws {
        let endpoint = Array(endpoint.utf8)
        for page in stride(from: 0, to: failures.count, by: LogPages.perPage) {
            try run("BEGIN IMMEDIATE")
            for failure in failures[page..<min(failures.count, page + LogPages.perPage)] {
                try insert(failure, endpoint: endpoint, now: now)
            }
            try run("COMMIT")
        }
    }

    private static let type = Array("profile_update".utf8)
    private static let webhook = Array("webhook-1".utf8)
    private static let webhookJSON = Array("\"webhook-1\"".utf8)
    private static let text = Array("HTTP 503: the receiver is down".utf8)

    private func insert(_ failure: Failure, endpoint: [UInt8], now: Int64) throws {
        try run(
            """
            INSERT INTO delivery (
                endpoint_id, task_id, event_type, customer_id, webhook_id, state, cycle_started_ms, logged_ms,
                first_failed_ms, last_failed_ms, next_attempt_ms, last_error, created_ms, updated_ms, turn_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, 'scheduled', ?6, ?6, ?6, ?6, ?7, ?8, ?9, ?9, ?6)
            """
        ) {
            for (index, value) in [
                endpoint, failure.taskID, Self.type, failure.customerID, Self.webhook,
            ].enumerated() {
                $0.bind(text: value, at: index + 1)
            }
            $0.bind(failure.logged, at: 6)
            $0.bind(failure.logged + 60_000, at: 7)
            $0.bind(text: Self.text, at: 8)
            $0.bind(now, at: 9)
        }
        let id = sqlite3_last_insert_rowid(connection)
        try run(
            """
            INSERT INTO delivery_body (delivery_id, body, sha256, task_id_json, customer_id_json, webhook_id_json)
            VALUES (?, ?, ?, ?, ?, ?)
            """
        ) {
            $0.bind(id, at: 1)
            $0.bind(blob: failure.body, at: 2)
            $0.bind(blob: failure.sha256, at: 3)
            $0.bind(text: failure.taskIDJSON, at: 4)
            $0.bind(text: failure.customerIDJSON, at: 5)
            $0.bind(text: Self.webhookJSON, at: 6)
        }
        try run(
            """
            INSERT INTO log_entry (
                endpoint_id, task_id, logged_ms, outcome, delivery_id, http_status, error, found_ms, seen_ms)
            VALUES (?, ?, ?, 'failed', ?, 503, ?, ?, ?)
            """
        ) {
            $0.bind(text: endpoint, at: 1)
            $0.bind(text: failure.taskID, at: 2)
            $0.bind(failure.logged, at: 3)
            $0.bind(id, at: 4)
            $0.bind(text: Self.text, at: 5)
            $0.bind(now, at: 6)
            $0.bind(now, at: 7)
        }
    }

    private func run(_ sql: String, _ bind: (OpaquePointer) -> Void = { _ in }) throws {
        let statement = try prepared(sql)
        bind(statement)
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        guard code == SQLITE_DONE || code == SQLITE_ROW else { return try check(code) }
    }

    private func prepared(_ sql: String) throws -> OpaquePointer {
        if let known = statements[sql] { return known }
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
        guard let statement else { throw Fault(code: SQLITE_MISUSE, message: "no statement") }
        statements[sql] = statement
        return statement
    }

    private func check(_ code: Int32) throws {
        guard code != SQLITE_OK else { return }
        throw Fault(code: code, message: String(cString: sqlite3_errmsg(connection)))
    }
}

extension OpaquePointer {
    /// SQLite copies what it is given.
    private static var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    fileprivate func bind(_ value: Int64, at index: Int) {
        sqlite3_bind_int64(self, Int32(index), value)
    }

    fileprivate func bind(text bytes: [UInt8], at index: Int) {
        bytes.withUnsafeBytes {
            _ = sqlite3_bind_text(
                self, Int32(index), $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count), Self.transient)
        }
    }

    fileprivate func bind(blob bytes: [UInt8], at index: Int) {
        bytes.withUnsafeBytes {
            _ = sqlite3_bind_blob(self, Int32(index), $0.baseAddress, Int32($0.count), Self.transient)
        }
    }
}
