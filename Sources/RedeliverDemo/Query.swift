import Foundation

/// Shows two queries of on-call and their answers. Uses the `sqlite3` shell.
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
            Screen.say(
                try (shell(sql, database) ?? "sqlite3 is not installed: apt-get install sqlite3 shows the answer")
                    + "\n")
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
}
