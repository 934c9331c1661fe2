import Foundation
import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The copy of a database that is kept beside it before its schema changes: the way back to the older program. Its name
/// ends in `.before-schema-6-20260101T000000Z`: the new version of the schema, and the time.
struct MigrationCopy {
    /// The database, without symbolic links.
    private let path: String
    /// The version of the schema that it is about to get.
    private let version: Int
    private let operation: String

    /// Bytes that are free in a file's folder; nil: unknown.
    typealias FreeSpace = (_ path: String) -> Int64?

    init(of path: String, before version: Int) {
        self.path = DatabaseLink.followed(path)
        self.version = version
        operation = "keep a copy of database \(path) before its schema changes"
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
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            let source = try Self.connection(to: path)
            defer { try? source.close() }
            return try source.readHere { session in
                let moment = try Moment(session)
                guard (1..<version).contains(moment.version), try Self.isInUse(session) else { return nil }
                try removeUnfinished()
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
        let old = (try? files())?.filter { ($0.split(separator: "-").last ?? "") < oldest } ?? []
        return old.filter { !$0.contains(Self.unfinished) && unlink($0) == 0 }
    }

    /// Whether a start ever got past its schema: each one registers the endpoints next.
    private static func isInUse(_ session: Session) throws -> Bool {
        try session.exists("SELECT 1 FROM endpoint")
    }

    // MARK: - One copy

    private func make(from session: Session, at now: Timestamp, _ freeSpace: FreeSpace) throws -> String {
        let sizes = QueueStore.fileSizes(ofDatabase: path)
        let needed = sizes.main + sizes.wal
        if let free = freeSpace(path), free < needed {
            throw StoreError(
                .storage, operation: "", cause: "it needs \(needed) bytes, and \(free) are free in its folder",
                hint: "nothing is changed; make room, or go on with the redeliver that wrote it")
        }
        let name = "\(path)\(Self.mark)\(version)-\(now.compactText)"
        let pending = try PendingFile(forDatabase: name, operation: operation)
        defer { pending.remove() }
        try session.copy(to: pending.path)
        try DatabaseCopy.examine(pending.path, .quick)
        try pending.give(asBeside: path)
        try pending.replace()
        return name
    }

    /// A copy from an earlier start that has the same content as the database now; nil: there is none.
    private func present(_ moment: Moment) throws -> String? {
        let prefix = "\(path)\(Self.mark)\(version)-"
        return try files().filter { $0.hasPrefix(prefix) && !$0.contains(Self.unfinished) }.sorted().last { file in
            guard let copy = try? Self.connection(to: file) else { return false }
            defer { try? copy.close() }
            guard let there = try? copy.readHere(Moment.init) else { return false }
            return there.isSame(as: moment)
        }
    }

    // MARK: - Files

    private func removeUnfinished() throws {
        let folder = try OpenFolder(PendingFile.folder(of: path))
        for rest in try files() where rest.contains(Self.unfinished) { folder.removeWhole(PendingFile.name(of: rest)) }
    }

    private static let mark = ".before-schema-"
    /// What `PendingFile` puts into the name of a file that is not complete.
    private static let unfinished = ".partial-"

    /// All copies of this database and what is left of copies, as paths.
    private func files() throws -> [String] {
        let folder = PendingFile.folder(of: path)
        let prefix = URL(fileURLWithPath: path).lastPathComponent + Self.mark
        return try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasPrefix(prefix) }.map { "\(folder)/\($0)" }
    }

    private static func connection(to path: String) throws -> Connections {
        try Connections.single(path: path, isReadOnly: true)
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
        MigrationCopy(of: path, before: 0).removeOld(at: now)
    }
}
