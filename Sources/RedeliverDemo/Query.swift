import Foundation
import GRDB

/// Shows two queries of on-call and their answers. Uses the `sqlite3` shell, or the library where it is not installed.
enum Query {
    static let all = [
        "SELECT event_type, open, delivered, dead, mean_recovery_s FROM v_by_event_type",
        """
        SELECT at, source, what, detail FROM v_timeline WHERE delivery_id = \
        (SELECT delivery_id FROM attempt GROUP BY delivery_id ORDER BY COUNT(*) DESC, delivery_id LIMIT 1) ORDER BY at_ms
        """,
    ]

    static func showAll(database: URL) throws {
        for sql in all {
            Screen.say("$ sqlite3 -box 'file:redeliver.db?mode=ro' \"\(sql)\"")
            Screen.say(try (shell(sql, database) ?? library(sql, database)) + "\n")
        }
    }

    /// nil when there is no `sqlite3` shell.
    private static func shell(_ sql: String, _ database: URL) throws -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let programs = folders.map { URL(filePath: String($0)).appending(path: "sqlite3") }
        guard let program = programs.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
            return nil
        }
        let text = try Program.output(of: program, ["-box", "file:\(database.path)?mode=ro", sql])
        return text.map { String($0.dropLast()) }
    }

    private static func library(_ sql: String, _ database: URL) throws -> String {
        var configuration = Configuration()
        configuration.readonly = true
        let rows = try DatabaseQueue(path: database.path, configuration: configuration).read { db in
            try Row.fetchAll(db, sql: sql)
        }
        let header = rows.first.map { Array($0.columnNames) } ?? []
        let lines: [[String]] = rows.map { row in
            Array(row.databaseValues).map { $0.isNull ? "" : "\($0.storage.value ?? "")" }
        }
        return ([header] + lines).map { $0.joined(separator: " | ") }.joined(separator: "\n")
    }
}
