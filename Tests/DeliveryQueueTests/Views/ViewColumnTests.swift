import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// The views' names, columns and comments, on which people's queries and dashboards rest.
@Suite struct ViewColumnTests {
    private let folder: TemporaryFolder
    private let store: QueueStore

    init() throws {
        folder = try TemporaryFolder()
        store = try QueueStore(path: folder.file("queue.db"), now: start)
    }

    /// The columns that each view had when it was first published, in their order; never edited.
    private static let published: [String: [String]] = [
        "v_open": [
            "id", "task_id", "endpoint", "event_type", "customer_id", "state", "held_because", "attempts_used",
            "first_failed_at", "age_s", "next_attempt_at", "confirm_by_at", "last_error",
        ],
        "v_dead": [
            "id", "task_id", "endpoint", "event_type", "customer_id", "dead_reason", "attempts_used",
            "superseded_by_task_id", "first_failed_at", "died_at", "age_s", "last_error",
        ],
        "v_by_event_type": ["event_type", "open", "delivered", "dead", "mean_recovery_s", "oldest_open_age_s"],
        "v_by_endpoint": [
            "endpoint", "endpoint_id", "active", "scheduled", "in_flight", "last_poll_at", "last_poll_age_s",
            "last_poll_error", "held_because", "held_since_at", "held_until_at",
        ],
        "v_timeline": ["delivery_id", "task_id", "at_ms", "at", "source", "what", "detail"],
    ]

    /// Columns that were added to them later, and views that were.
    private static let added: [String: [String]] = [
        "v_open": [
            "waits_for", "webhook_id", "cycle", "is_manual", "last_failed_at", "superseded_by_task_id",
            "log_wanted_at", "log_error",
        ],
        "v_dead": ["meaning", "webhook_id", "cycle", "last_failed_at", "last_answer"],
        "v_by_event_type": ["slowest_recovery_s", "delivered_7d"],
        "v_by_endpoint": [
            "due_now", "oldest_open_age_s", "dead", "delivered_24h", "died_24h", "calls_24h", "failed_calls_24h",
            "unconfirmed_calls_24h", "refused_calls_24h", "scan_gap_s", "log_read_up_to_at", "last_poll_error_at",
            "retry_shows",
            "circuit", "circuit_since_at", "circuit_because", "next_trial_at", "trial_task_id", "held",
            "behind_gap", "unread_since_at", "behind_look", "look_wanted_at",
        ],
        "v_timeline": ["endpoint"],
        "v_due": [
            "id", "task_id", "endpoint", "event_type", "customer_id", "due_in_s", "next_attempt_at", "held_because",
            "held_until_at", "attempts_used", "is_manual", "age_s",
        ],
        "v_attempts": [
            "attempt_id", "delivery_id", "task_id", "endpoint", "event_type", "cycle", "number", "kind", "called_at",
            "age_s", "answer", "http_status", "answer_s", "outcome", "settled_at", "named_task_id", "answer_text",
        ],
        "v_superseded": [
            "id", "task_id", "endpoint", "event_type", "customer_id", "state", "superseded_by_task_id", "meaning",
            "webhook_id", "first_failed_at", "finalized_at", "age_s",
        ],
        "v_in_progress": ["task_id", "endpoint", "delivery_id", "found_at", "age_s"],
        "v_health": ["check_name", "ok", "value", "detail"],
    ]

    /// Those for people.
    private func views() async throws -> [(name: String, sql: String, columns: [String])] {
        try await store.pool.read { db in
            let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND name GLOB 'v_*' ORDER BY name"
            return try Row.fetchAll(db, sql: sql).map {
                let name: String = $0["name"]
                return (name, $0["sql"], try db.columns(in: name).map(\.name))
            }
        }
    }

    @Test func `published columns stay in their order, and new ones follow them`() async throws {
        let views = try await views()

        #expect(Set(views.map(\.name)) == Set(Self.added.keys))
        for view in views {
            #expect(view.columns == Self.published[view.name, default: []] + Self.added[view.name, default: []])
        }
    }

    @Test func `the schema as the shell shows it says what each view answers`() async throws {
        let texts = try await store.pool.read { db in
            try String.fetchAll(db, sql: "SELECT sql FROM sqlite_schema WHERE type = 'view'")
        }
        #expect(texts.count == Self.added.count + 6)
        for text in texts {
            let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(lines[0].hasPrefix("CREATE VIEW ") && lines[0].hasSuffix(" AS"))
            #expect(lines[1].hasPrefix("-- "), "\(lines[0]) has no comment")
        }
    }

    @Test func `times are readable and ages have their unit`() async throws {
        for view in try await views() {
            // One number stays to sort by: within a second much can happen.
            let raw = view.columns.filter { $0.hasSuffix("_ms") }
            #expect(raw == (view.name == "v_timeline" ? ["at_ms"] : []))
            #expect(view.columns.allSatisfy { !$0.hasSuffix("age") && !$0.hasSuffix("seconds") })
        }
    }

    @Test func `no view knows the tables of bodies and raw texts`() async throws {
        for view in try await views() {
            let lines = view.sql.components(separatedBy: "\n")
            let statement = lines.map { $0.components(separatedBy: "--")[0] }.joined(separator: "\n")
            #expect(!statement.contains("delivery_body") && !statement.contains("raw"))
            #expect(!statement.contains("sha256") && !statement.contains("_json"))
            #expect(!view.columns.contains { $0.contains("body") || $0.contains("raw") })
        }
    }

    @Test func `only functions that an untrusted schema may call are used`() async throws {
        let trusted = try await store.pool.read { try String.fetchOne($0, sql: "PRAGMA trusted_schema") }
        #expect(trusted == "0")
        for view in Self.added.keys {
            _ = try await store.pool.read { try Row.fetchAll($0, sql: "SELECT * FROM \(view)").count }
        }
    }
}
