import Crypto
import Foundation
import GRDB

/// The schema's steps, each in its own transaction, embedded in the program from `migrations/` at the top level.
///
/// A database remembers each step's text by its hash; a step is never edited after a release.
enum Migrations {
    struct Step: Sendable {
        let version: Int
        let name: String
        let sql: [UInt8]

        var sha256: [UInt8] { Array(SHA256.hash(data: sql)) }
    }

    /// In order. A test compares this list with the folder. Always the same in the program; tests of upgrades set it, so that
    /// they open a database as a later release would.
    @TaskLocal static var steps: [Step] = [
        Step(version: 1, name: "0001_initial", sql: PackageResources._001_initial_sql)
    ]

    /// "rdlv" in ASCII: tells our files from other programs' in `PRAGMA application_id`.
    static let applicationID: Int32 = 0x7264_6c76

    /// Applies what is missing.
    ///
    /// - Throws: `foreign` for a database of another program, `incompatible` for a newer schema or a changed step.
    static func apply(_ steps: [Step] = steps, to db: Database, at now: Timestamp) throws {
        try check(db, steps: steps)
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        for step in steps where step.version > version {
            try db.inTransaction(.immediate) {
                try db.execute(sql: String(decoding: step.sql, as: UTF8.self))
                try remember(step, in: db, at: now)
                return .commit
            }
        }
    }

    /// Refuses what this program must not touch; changes nothing.
    static func check(_ db: Database, steps: [Step] = steps) throws {
        let identifier = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let version = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_schema") ?? 0
        guard identifier == applicationID || (identifier == 0 && tables == 0) else {
            throw StoreError(
                .foreign, operation: "", cause: "it belongs to another program",
                hint: "name another path in `database`")
        }
        guard try !isUnreleased(db, version, first: steps.first) else { throw unreleased }
        let newest = steps.last?.version ?? 0
        guard version <= newest else { throw try newer(db, version, than: newest) }
        for step in steps.prefix(version) {
            let known = try hash(ofStep: step.version, in: db)
            guard known == step.sha256.blob else { throw changed(step, known: known) }
        }
    }

    /// Of the step's text when it was applied; nil: the database remembers no such step.
    private static func hash(ofStep version: Int, in db: Database) throws -> Data? {
        guard try db.tableExists("schema_migration") else { return nil }
        return try Data.fetchOne(
            db, sql: "SELECT sha256 FROM schema_migration WHERE version = ?", arguments: [version])
    }

    /// The newest schema of the builds before the first release. Their first step has another text than that of all releases.
    private static let lastUnreleased = 9

    private static func isUnreleased(_ db: Database, _ version: Int, first: Step?) throws -> Bool {
        guard let first, (1...lastUnreleased).contains(version), let known = try hash(ofStep: 1, in: db) else {
            return false
        }
        return known != first.sha256.blob
    }

    private static let unreleased = StoreError(
        .incompatible, operation: "",
        cause: "it was made by an unreleased build of Redeliver, and no release can read its schema",
        hint:
            "move it away, with its -wal and -shm files, and start the daemon, which makes a new one; the failures that "
            + "the provider's log still shows within poll.initial_lookback are found again, all else in the old one is lost"
    )

    private static func newer(_ db: Database, _ version: Int, than newest: Int) throws -> StoreError {
        let names =
            try db.tableExists("schema_migration")
            ? String.fetchOne(db, sql: "SELECT name FROM schema_migration WHERE version = ?", arguments: [version])
            : nil
        // The text of a file that is perhaps not ours must not disturb a log line.
        let name = names.map {
            " (\($0.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }.prefix(60)))"
        }
        return StoreError(
            .incompatible, operation: "",
            cause: "its schema has version \(version)\(name ?? ""), this program knows up to version \(newest)",
            hint: "run the newer redeliver that wrote it, or put the copy from before that one, "
                + "….before-schema-\(version)-TIME, in its place")
    }

    private static func changed(_ step: Step, known: Data?) -> StoreError {
        func short(_ hash: [UInt8]) -> String {
            hash.prefix(6).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return StoreError(
            .incompatible, operation: "",
            cause: "migration \(step.name), version \(step.version) of the schema, was applied with another text "
                + "(\(known.map { short(Array($0)) } ?? "none")) than this program's (\(short(step.sha256)))",
            hint: "run the redeliver that wrote it")
    }

    private static func remember(_ step: Step, in db: Database, at now: Timestamp) throws {
        try db.execute(
            sql: """
                CREATE TABLE IF NOT EXISTS schema_migration (
                    version INTEGER NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL,
                    sha256 BLOB NOT NULL,
                    applied_ms INTEGER NOT NULL
                ) STRICT
                """)
        try db.execute(
            sql: "INSERT INTO schema_migration (version, name, sha256, applied_ms) VALUES (?, ?, ?, ?)",
            arguments: [step.version, step.name, step.sha256.blob, now.milliseconds])
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(step.version)")
    }
}
