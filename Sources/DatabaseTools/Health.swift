package import DeliveryQueue

/// Facts of a database that can be read within a second, however large it is.
package struct DatabaseHealth: Sendable, Equatable {
    /// The settings of a connection of this program: `PRAGMA` names and their values as text.
    package var settings: [String: String]
    package var schemaVersion: Int
    /// What is wrong with the schema for this program; nil: nothing.
    package var schemaFault: String?
    package var look: QuickLook
    package var bytes: Int64
    package var walBytes: Int64
    package var freeBytes: Int64
    /// Endpoints whose logs show the same rows; nil: the schema is not this program's.
    package var sameRows: [SameRows]?
    /// Endpoints of which a failure's body is a string that is not JSON, each with what it looks like; nil as above.
    package var oddBodies: [String]?

    /// The version of the schema that this program makes.
    package static var newestSchema: Int { Migrations.newest }
    /// What `settings` must be; the promises rest on it.
    package static var wantedSettings: [String: String] { SQLiteSettings.wanted }
}

/// A look at a database's structure that takes no longer for a larger one.
package struct QuickLook: Sendable, Equatable {
    /// What is wrong, as SQLite says it.
    package var faults: [String]
    /// How many of the newest rows of each large table were read; nil: the whole file was checked.
    package var newestRows: Int?

    /// How many rows of each large table are read where the file is not small.
    static let newest = 2_000
    /// Tables that stay small, whatever the number of deliveries.
    static let smallTables = ["endpoint", "scan_gap", "counter", "metric_event_type", "schema_migration", "daemon"]
    /// The large tables, each with the column that puts the newest rows last.
    static let largeTables = [
        "delivery": "id", "delivery_body": "delivery_id", "attempt": "id", "unreadable_entry": "id",
    ]
}

extension QueueReader {
    /// Opens a database whose schema is in question: newer, older, changed or damaged. Only its health and its check
    /// can be read.
    ///
    /// - Throws: `inaccessible`, or `foreign` for another program's file.
    package static func ofAnySchema(path: String) throws(StoreError) -> QueueReader {
        try QueueReader(path: path) { session in
            do {
                try Migrations.check(session)
            } catch let error as StoreError where error.kind == .incompatible {
                return
            } catch  where EngineFault(error) == .corrupt {
                return
            }
        }
    }

    /// Looks at the database for no longer than about a second; `check` looks at all of it.
    package func health() throws(StoreError) -> DatabaseHealth {
        let sizes = QueueStore.fileSizes(ofDatabase: path)
        let look = try examine { try $0.quickLook() }
        return try examine { session in
            DatabaseHealth(
                settings: try session.settings(), schemaVersion: try session.schemaVersion(),
                schemaFault: try session.schemaFault(), look: look, bytes: sizes.main, walBytes: sizes.wal,
                freeBytes: try session.freeBytes(), sameRows: try session.isOfThisProgram() ? session.sameRows() : nil,
                oddBodies: try session.isOfThisProgram() ? session.oddBodies() : nil)
        }
    }
}

extension Session {
    /// Whether everything that this program reads is there.
    fileprivate func isOfThisProgram() throws -> Bool {
        try schemaFault() == nil && schemaVersion() == Migrations.newest
    }

    /// Why this program must not use the schema; nil: it may.
    func schemaFault() throws -> String? {
        do {
            try Migrations.check(self)
            return nil
        } catch let error as StoreError where error.kind == .incompatible {
            return error.cause
        } catch  where EngineFault(error) == .corrupt {
            return "the record of its migrations cannot be read: \(EngineFault.message(of: error) ?? "damaged")"
        }
    }

    fileprivate func quickLook() throws -> QuickLook {
        if try isSmall() { return QuickLook(faults: try structureFaults(.quick, limit: 10)) }
        var faults: [String] = []
        for table in QuickLook.smallTables {
            faults += try orDamage(table) { try structureFaults(ofTable: table) }
        }
        for (table, key) in QuickLook.largeTables.sorted(by: { $0.key < $1.key }) {
            faults += try orDamage(table) {
                try readNewest(of: table, key)
                return []
            }
        }
        return QuickLook(faults: faults, newestRows: QuickLook.newest)
    }

    /// Reads rows to their last byte: SQLite notices pages and cells that are not well formed.
    private func readNewest(of table: String, _ key: String) throws {
        try each("SELECT * FROM \(table) ORDER BY \(key) DESC LIMIT \(QuickLook.newest)") { _ in true }
    }

    /// The faults that `look` finds; damage that stops it is one too.
    private func orDamage(_ place: String, _ look: () throws -> [String]) throws -> [String] {
        do {
            return try look()
        } catch  where EngineFault(error) == .corrupt {
            return ["\(place): \(EngineFault.message(of: error) ?? "damaged")"]
        }
    }
}
