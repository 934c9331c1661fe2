package import LocalFiles

/// What is in a copy of the failure database.
package struct CopyFacts: Sendable, Equatable {
    package let bytes: Int64
    package let schemaVersion: Int
    package let deliveries: Int
    /// Those of them that are neither delivered nor dead.
    package let open: Int
    /// The newest time in it, which is when it was taken to within one poll; nil: nothing happened yet.
    package let newest: Timestamp?
}

/// Examines copies of a failure database: one file each, without a write-ahead log.
package enum DatabaseCopy {
    /// Checks that a copy is ours and whole, with a schema no newer than this program's.
    ///
    /// - Throws: `foreign`, `incompatible`, or `storage` with the first faults found.
    @discardableResult
    package static func examine(_ place: FilePlace, _ depth: Session.Depth) throws -> CopyFacts {
        let copy = try Connections.single(at: place, isReadOnly: true)
        defer { try? copy.close() }
        return try copy.readHere { session in
            try Migrations.check(session)
            guard try session.hasTable("schema_migration") else {
                throw StoreError(.foreign, operation: "", cause: "it is an empty database")
            }
            let structure = try session.structureFaults(depth)
            let faults = try structure.isEmpty ? session.foreignKeyFaults() : structure
            guard faults.isEmpty else {
                throw StoreError(
                    .storage, operation: "", cause: "it is damaged: " + faults.prefix(3).joined(separator: "; "),
                    hint: "check the disk and its free space, then the database with `redeliver database check`")
            }
            return try session.copyFacts(place)
        }
    }
}

extension Session {
    fileprivate func copyFacts(_ place: FilePlace) throws -> CopyFacts {
        CopyFacts(
            bytes: place.status?.bytes ?? 0, schemaVersion: try schemaVersion(),
            deliveries: Int(try number("SELECT COUNT(*) FROM delivery") ?? 0),
            open: Int(try number("SELECT COUNT(*) FROM delivery WHERE finalized_ms IS NULL") ?? 0),
            newest: try newestTime())
    }

    /// The newest time at which this database was worked on; nil when it never was.
    func newestTime() throws -> Timestamp? {
        try number(
            """
            SELECT MAX(at) FROM (
                SELECT MAX(updated_ms) AS at FROM delivery
                UNION ALL SELECT MAX(last_poll_ms) FROM endpoint
                UNION ALL SELECT MAX(last_poll_error_ms) FROM endpoint
                UNION ALL SELECT MAX(last_scan_ms) FROM endpoint
                UNION ALL SELECT MAX(resumed_ms) FROM endpoint
            ) AS times WHERE at > 0
            """
        ).map(Timestamp.init(milliseconds:))
    }
}
