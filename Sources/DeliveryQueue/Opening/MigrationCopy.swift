import LocalFiles

/// The copy of a database that is kept beside it before its schema changes: the way back to the older program. Its name
/// ends in `.before-schema-6-20260101T000000Z`: the new version of the schema, and the time.
struct MigrationCopy {
    private let database: FilePlace
    /// The version of the schema that it is about to get.
    private let version: Int
    private let operation: String

    /// Bytes that are free in a file's folder; nil: unknown.
    typealias FreeSpace = (_ path: String) -> Int64?

    init(of database: FilePlace, before version: Int) {
        self.database = database
        self.version = version
        operation = "keep a copy of database \(database.path) before its schema changes"
    }

    /// Makes the copy: one consistent moment, verified and on the disk under its name when this returns. Only the
    /// holder of the instance lock may call it.
    ///
    /// A copy that an unfinished start left is used: a start that fails again and again must not fill the disk.
    /// Incomplete copies that a `kill -9` left are removed.
    ///
    /// - Returns: the copy's path; nil: the schema needs no change, or the database is new (also after a broken-off
    ///   first start).
    /// - Throws: `storage` when there is no room or the database is damaged; nothing is changed then.
    func keep(at now: Timestamp, freeSpace: FreeSpace = Self.freeSpace) throws(StoreError) -> String? {
        do {
            guard database.status != nil else { return nil }
            let source = try Self.connection(to: database)
            defer { try? source.close() }
            return try source.readHere { session in
                let moment = try Moment(session)
                guard (1..<version).contains(moment.version), try Self.isInUse(session) else { return nil }
                removeUnfinished()
                return try present(moment) ?? make(from: session, at: now, freeSpace)
            }
        } catch {
            throw StoreError(error, operation: operation)
        }
    }

    /// Removes copies of any version that are older than `QueueStore.bodyRetention`.
    ///
    /// - Returns: their paths.
    func removeOld(at now: Timestamp) -> [String] {
        let oldest = (now - QueueStore.bodyRetention).compactText
        let old = files().filter { !$0.contains(Self.unfinished) && ($0.split(separator: "-").last ?? "") < oldest }
        return old.filter(database.folder.remove).map(path(of:))
    }

    /// Whether a start ever got past its schema: each one registers the endpoints next.
    private static func isInUse(_ session: Session) throws -> Bool {
        try session.exists("SELECT 1 FROM endpoint")
    }

    // MARK: - One copy

    private func make(from session: Session, at now: Timestamp, _ freeSpace: FreeSpace) throws -> String {
        let needed = [database, database.beside("-wal")].reduce(0) { $0 + ($1.status?.bytes ?? 0) }
        if let free = freeSpace(database.path), free < needed {
            throw StoreError(
                .storage, operation: "", cause: "it needs \(needed) bytes, and \(free) are free in its folder",
                hint: "nothing is changed; make room, or go on with the redeliver that wrote it")
        }
        let copy = database.beside("\(Self.mark)\(version)-\(now.compactText)")
        let pending = try PendingFile(forDatabase: copy, operation: operation)
        defer { pending.remove() }
        try session.copy(to: pending.place)
        try DatabaseCopy.examine(pending.place, .quick)
        try pending.give(asBeside: database)
        try pending.replace()
        return copy.path
    }

    /// A copy from an earlier start that has the same content as the database now; nil: there is none.
    private func present(_ moment: Moment) throws -> String? {
        let prefix = "\(database.name)\(Self.mark)\(version)-"
        return files().filter { $0.hasPrefix(prefix) && !$0.contains(Self.unfinished) }.sorted().last { file in
            guard let copy = try? Self.connection(to: FilePlace(in: database.folder, name: file)) else { return false }
            defer { try? copy.close() }
            guard let there = try? copy.readHere(Moment.init) else { return false }
            return there.isSame(as: moment)
        }.map(path(of:))
    }

    // MARK: - Files

    private func removeUnfinished() {
        for rest in files() where rest.contains(Self.unfinished) { database.folder.removeWhole(rest) }
    }

    private static let mark = ".before-schema-"
    /// What `PendingFile` puts into the name of a file that is not complete.
    private static let unfinished = ".partial-"

    /// The names of all copies of this database and of what is left of copies.
    private func files() -> [String] {
        database.folder.names().filter { $0.hasPrefix(database.name + Self.mark) }
    }

    private func path(of name: String) -> String { FilePlace(in: database.folder, name: name).path }

    private static func connection(to place: FilePlace) throws -> Connections {
        try Connections.single(at: place, isReadOnly: true)
    }

    private static func freeSpace(beside path: String) -> Int64? {
        DiskSpace(at: PendingFile.folder(of: path))?.freeBytes
    }
}

/// How far a database has come, by the marks that every program leaves in it when it works. A change of the schema
/// alone does not count.
private struct Moment {
    let version: Int
    private let marks: [Int64?]

    init(_ session: Session) throws {
        version = try session.schemaVersion()
        guard version > 0 else {
            marks = []
            return
        }
        let counts = try session.first(
            """
            SELECT (SELECT MAX(id) FROM attempt), (SELECT MAX(id) FROM delivery), (SELECT MAX(id) FROM operator_action),
                (SELECT SUM(value) FROM counter)
            """
        ) { [$0.integerIfAny(), $0.integerIfAny(), $0.integerIfAny(), $0.integerIfAny()] }
        marks = [try session.newestTime()?.milliseconds] + (counts ?? [])
    }

    /// Whether `later` is the same database and nobody worked on it since. Steps of the schema may have been applied.
    func isSame(as later: Moment) -> Bool {
        version > 0 && version <= later.version && marks == later.marks
    }
}

extension QueueStore {
    /// Removes copies from before a change of the schema 7 days after they were made: they hold bodies.
    ///
    /// - Returns: their paths.
    package func removeOldMigrationCopies(at now: Timestamp) -> [String] {
        MigrationCopy(of: place, before: 0).removeOld(at: now)
    }
}
