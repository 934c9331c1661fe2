import DatabaseTools
import DeliveryQueue
import DeliveryWorker

/// Judges the facts about the database.
enum DatabaseJudgement {
    private static let names = [
        "database schema", "database settings", "database integrity", "database size", "logs alike", "bodies",
    ]

    static func findings(_ facts: DoctorFacts) -> [Finding] {
        switch facts.database {
        case .success(let health):
            [schema(health), settings(health), integrity(health), size(health), alike(health), bodies(health)]
        case .failure(let error):
            [unreadable(error, facts.files)] + names.dropFirst().map { Finding($0, .unknown, "not readable") }
        case nil: names.map { Finding($0, .unknown, "no database is named") }
        }
    }

    private static func unreadable(_ error: StoreError, _ files: DatabaseFiles?) -> Finding {
        if error.kind == .inaccessible, let files, files.main == nil, files.folder?.isReadable == true {
            return Finding(
                names[0], .warning, "there is no database yet", advice: "the daemon creates it at its start")
        }
        return Finding(
            names[0], .bad, "\(error.operation): \(error.cause)",
            advice: error.hint ?? "see the check `permissions`")
    }

    private static func schema(_ health: DatabaseHealth) -> Finding {
        if let fault = health.schemaFault {
            let isDamaged = !health.look.faults.isEmpty
            return Finding(
                names[0], .bad, fault,
                advice: isDamaged ? "restore a backup" : "run the redeliver version that wrote it")
        }
        guard health.schemaVersion == DatabaseHealth.newestSchema else {
            return Finding(
                names[0], .warning,
                "version \(health.schemaVersion); this program uses version \(DatabaseHealth.newestSchema)",
                advice: "start the daemon of this program; it updates the schema")
        }
        return Finding(names[0], .ok, "version \(health.schemaVersion)")
    }

    private static func settings(_ health: DatabaseHealth) -> Finding {
        let wanted = DatabaseHealth.wantedSettings.sorted { $0.key < $1.key }
        let wrong = wanted.filter { health.settings[$0.key] != $0.value }.map {
            "\($0.key) is \(health.settings[$0.key] ?? "unset"), not \($0.value)"
        }
        guard wrong.isEmpty else {
            return Finding(
                names[1], .bad, wrong.joined(separator: "; "),
                advice:
                    "another program changed them; start the daemon once (auto_vacuum needs a VACUUM while it is stopped)"
            )
        }
        return Finding(names[1], .ok, wanted.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
    }

    private static func integrity(_ health: DatabaseHealth) -> Finding {
        guard health.look.faults.isEmpty else {
            return Finding(
                names[2], .bad, health.look.faults.prefix(3).joined(separator: "; "),
                advice: "stop the daemon, run `redeliver database check`, restore a backup")
        }
        let scope = health.look.newestRows.map {
            "no fault in the small tables and the newest \($0) rows of the large ones; `redeliver database check` reads all"
        }
        return Finding(
            names[2], .ok, scope ?? "no fault in the whole file; `redeliver database check` also reads the indexes")
    }

    /// `journal_size_limit` is 64 MiB. SQLite cannot empty a log that stays far above it.
    private static let longLog: Int64 = 256 << 20
    private static let muchFree: Int64 = 256 << 20

    private static func size(_ health: DatabaseHealth) -> Finding {
        let found = """
            \(ByteText.of(health.bytes)), write-ahead log \(ByteText.of(health.walBytes)), \
            free inside \(ByteText.of(health.freeBytes))
            """
        if health.walBytes > longLog {
            return Finding(
                names[3], .warning, found,
                advice: "a very long read keeps SQLite from emptying the log; end old sqlite3 sessions"
            )
        }
        if health.freeBytes > muchFree, health.freeBytes > health.bytes / 2 {
            return Finding(
                names[3], .warning, found, advice: "`redeliver database prune --confirm` gives the space back")
        }
        return Finding(names[3], .ok, found)
    }

    private static func alike(_ health: DatabaseHealth) -> Finding {
        guard let rows = health.sameRows else { return Finding(names[4], .unknown, "the schema is not this program's") }
        guard !rows.isEmpty else { return Finding(names[4], .ok, "no two endpoints show the same rows") }
        return Finding(
            names[4], .warning, rows.map { "\($0.endpoint) and \($0.other): \($0.count) rows" }.joined(separator: "; "),
            advice:
                "each failure is sent for one of them; take the other out of the configuration, or name the field that "
                + "tells whose a row is (provider.log_fields.webhook_id)")
    }

    private static func bodies(_ health: DatabaseHealth) -> Finding {
        guard let odd = health.oddBodies else { return Finding(names[5], .unknown, "the schema is not this program's") }
        guard !odd.isEmpty else { return Finding(names[5], .ok, "no body is a string that is not JSON") }
        return Finding(
            names[5], .warning, "a body is a string that is not JSON: " + odd.joined(separator: ", "),
            advice:
                "it is sent as the log shows it; ask the provider whether its retry call takes it, and see provider.log_fields.body"
        )
    }
}
