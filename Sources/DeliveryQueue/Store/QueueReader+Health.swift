import Foundation
import GRDB

/// What can be told of a database within a second, however large it is.
package struct DatabaseHealth: Sendable, Equatable {
    /// As this program opens it; `PRAGMA` names and their values as text.
    package var settings: [String: String]
    package var schemaVersion: Int
    /// What is wrong with the schema for this program; nil: nothing.
    package var schemaFault: String?
    package var look: QuickLook
    package var bytes: Int64
    package var walBytes: Int64
    package var freeBytes: Int64

    package init(
        settings: [String: String], schemaVersion: Int, schemaFault: String?, look: QuickLook, bytes: Int64,
        walBytes: Int64, freeBytes: Int64
    ) {
        self.settings = settings
        self.schemaVersion = schemaVersion
        self.schemaFault = schemaFault
        self.look = look
        self.bytes = bytes
        self.walBytes = walBytes
        self.freeBytes = freeBytes
    }

    /// The schema that this program makes.
    package static var newestSchema: Int { Migrations.steps.count }
    /// What `settings` has to be; the promises rest on it.
    package static let wantedSettings = [
        "application_id": String(Migrations.applicationID), "auto_vacuum": "2", "foreign_keys": "1",
        "journal_mode": "wal", "synchronous": "2", "trusted_schema": "0",
    ]
}

/// A look at a database's structure that is bounded by the clock, not by its size.
package struct QuickLook: Sendable, Equatable {
    /// What is wrong, as SQLite says it.
    package var faults: [String]
    /// How many of the newest rows of each large table were read; nil: the whole file was checked.
    package var newestRows: Int?

    package init(faults: [String], newestRows: Int? = nil) {
        self.faults = faults
        self.newestRows = newestRows
    }

    /// Up to here SQLite's own check of the whole file takes a fraction of a second: 32 MB.
    static let wholeUpToPages = 8_192
    /// Read of each large table of a larger file.
    static let newest = 2_000
    /// Tables that stay small, whatever the number of deliveries.
    static let smallTables = ["endpoint", "scan_gap", "counter", "metric_event_type", "schema_migration"]
    /// The large tables, newest rows first.
    static let largeTables = [
        "delivery": "id", "delivery_body": "delivery_id", "attempt": "id", "unreadable_entry": "id",
    ]
}

extension QueueReader {
    /// A database whose schema is in question: newer, older, changed or damaged. Only its health and its check can be read.
    ///
    /// - Throws: `inaccessible`, or `foreign` for another program's file.
    package static func ofAnySchema(path: String) throws(StoreError) -> QueueReader {
        try QueueReader(path: path) { db in
            do {
                try Migrations.check(db)
            } catch let error as StoreError where error.kind == .incompatible {
                return
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
                return
            }
        }
    }

    /// Looks at the database for no longer than about a second; `check` looks at all of it.
    package func health() throws(StoreError) -> DatabaseHealth {
        let sizes = QueueStore.fileSizes(ofDatabase: path)
        let look = try examine { try $0.quickLook() }
        return try read("look at the health", since: 0) { db in
            DatabaseHealth(
                settings: try QueueStore.settings(db),
                schemaVersion: try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0,
                schemaFault: try db.schemaFault(),
                look: look, bytes: sizes.main, walBytes: sizes.wal,
                freeBytes: try Int64.fetchOne(
                    db, sql: "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size") ?? 0)
        }
    }
}

extension Database {
    /// Why this program must not use the schema; nil: it may.
    func schemaFault() throws -> String? {
        do {
            try Migrations.check(self)
            return nil
        } catch let error as StoreError where error.kind == .incompatible {
            return error.cause
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            return "the record of its migrations cannot be read: \(error.message ?? "damaged")"
        }
    }

    fileprivate func quickLook() throws -> QuickLook {
        let pages = try Int.fetchOne(self, sql: "PRAGMA page_count") ?? 0
        if pages <= QuickLook.wholeUpToPages {
            return QuickLook(faults: try structureFaults(.quick, limit: 10))
        }
        var faults: [String] = []
        for table in QuickLook.smallTables {
            faults += try orDamage(table) {
                try String.fetchAll(self, sql: "PRAGMA quick_check('\(table)')").flatMap(Self.structureFaults(in:))
            }
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
        let cursor = try Row.fetchCursor(
            self, sql: "SELECT * FROM \(table) ORDER BY \(key) DESC LIMIT \(QuickLook.newest)")
        while try cursor.next() != nil {}
    }

    /// The faults that `look` finds; that it cannot be carried out for damage is one too.
    private func orDamage(_ place: String, _ look: () throws -> [String]) throws -> [String] {
        do {
            return try look()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            return ["\(place): \(error.message ?? "damaged")"]
        }
    }
}
