import Crypto

/// The schema's steps, each in its own transaction, embedded in the program from `migrations/` at the top level.
///
/// A database remembers each step's text by its hash; a step is never edited after a release.
package enum Migrations {
    /// One SQL file of `migrations/`, which makes the schema's next version.
    package struct Step: Sendable {
        let version: Int
        let name: String
        let sql: [UInt8]

        var sha256: [UInt8] { Array(SHA256.hash(data: sql)) }
    }

    /// All steps in order; a test compares the list with the folder. Only tests of upgrades set it, to open a database
    /// as a later release would.
    @TaskLocal package static var steps: [Step] = [
        Step(version: 1, name: "0001_initial", sql: PackageResources._001_initial_sql)
    ]

    /// The version of the schema that this program makes.
    package static var newest: Int { steps.last?.version ?? 0 }

    /// Applies the steps that a database does not have yet.
    ///
    /// - Throws: `foreign` for a database of another program, `incompatible` for a newer schema or a changed step.
    package static func apply(_ steps: [Step] = steps, to session: Session, at now: Timestamp) throws {
        try check(session, steps: steps)
        let version = try session.schemaVersion()
        for step in steps where step.version > version {
            try session.transaction {
                try session.script(String(decoding: step.sql, as: UTF8.self))
                try remember(step, in: session, at: now)
            }
        }
    }

    /// Refuses a database that this program must not touch; changes nothing.
    ///
    /// - Throws: as `apply`.
    package static func check(_ session: Session, steps: [Step] = steps) throws {
        let version = try session.schemaVersion()
        guard try session.isOursOrNew() else {
            throw StoreError(
                .foreign, operation: "", cause: "it belongs to another program",
                hint: "name another path in `database`")
        }
        guard try !isUnreleased(session, version, first: steps.first) else { throw unreleased }
        let newest = steps.last?.version ?? 0
        guard version <= newest else { throw try newer(session, version, than: newest) }
        for step in steps.prefix(version) {
            let known = try hash(ofStep: step.version, in: session)
            guard known == step.sha256 else { throw changed(step, known: known) }
        }
    }

    /// The hash of the step's text when it was applied; nil: the database remembers no such step.
    private static func hash(ofStep version: Int, in session: Session) throws -> [UInt8]? {
        guard try session.hasTable("schema_migration") else { return nil }
        return try session.first("SELECT sha256 FROM schema_migration WHERE version = ?", [version]) { $0.bytes() }
    }

    /// The newest schema of the builds before the first release. Their first step has another text than that of all
    /// releases.
    private static let lastUnreleased = 9

    private static func isUnreleased(_ session: Session, _ version: Int, first: Step?) throws -> Bool {
        guard let first, (1...lastUnreleased).contains(version), let known = try hash(ofStep: 1, in: session) else {
            return false
        }
        return known != first.sha256
    }

    private static let unreleased = StoreError(
        .incompatible, operation: "",
        cause: "it was made by an unreleased build of Redeliver, and no release can read its schema",
        hint:
            "move it away, with its -wal and -shm files, and start the daemon, which makes a new one; the failures that "
            + "the provider's log still shows within poll.initial_lookback are found again, all else in the old one is lost"
    )

    private static func newer(_ session: Session, _ version: Int, than newest: Int) throws -> StoreError {
        let known =
            try session.hasTable("schema_migration")
            ? session.first("SELECT name FROM schema_migration WHERE version = ?", [version]) { $0.text() } : nil
        // The text of a file that is perhaps not ours must not disturb a log line.
        let name = known.map {
            " (\($0.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }.prefix(60)))"
        }
        return StoreError(
            .incompatible, operation: "",
            cause: "its schema has version \(version)\(name ?? ""), this program knows up to version \(newest)",
            hint: "run the newer redeliver that wrote it, or put the copy from before that one, "
                + "….before-schema-\(version)-TIME, in its place")
    }

    private static func changed(_ step: Step, known: [UInt8]?) -> StoreError {
        func short(_ hash: [UInt8]) -> String {
            hash.prefix(6).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        return StoreError(
            .incompatible, operation: "",
            cause: "migration \(step.name), version \(step.version) of the schema, was applied with another text "
                + "(\(known.map(short) ?? "none")) than this program's (\(short(step.sha256)))",
            hint: "run the redeliver that wrote it")
    }

    private static func remember(_ step: Step, in session: Session, at now: Timestamp) throws {
        try session.script(
            """
            CREATE TABLE IF NOT EXISTS schema_migration (
                version INTEGER NOT NULL PRIMARY KEY,
                name TEXT NOT NULL,
                sha256 BLOB NOT NULL,
                applied_ms INTEGER NOT NULL
            ) STRICT
            """)
        try session.run(
            """
            INSERT INTO schema_migration (version, name, sha256, applied_ms) VALUES (:version, :name, :sha256, :now)
            """,
            ["version": step.version, "name": step.name, "sha256": step.sha256, "now": now])
        try session.mark(schemaVersion: step.version)
    }
}
