import DeliveryQueue
import Foundation

/// What `redeliver status` prints, as JSON and as text. Keys are stable; times are Unix seconds.
struct StatusReport: JSONReport {
    struct Totals: Encodable {
        var scheduled = 0
        var attempting = 0
        var awaiting = 0
        /// The scheduled ones that a hold keeps back.
        var held = 0
        /// Since the database was created, pruned ones included.
        var delivered: Int64 = 0
        /// Given up and not requeued.
        var dead = 0
    }

    struct EventType: JSONReport {
        let eventType: String
        var totals = Totals()
        var oldestFailure: Timestamp?
        var deadByReason: [String: Int] = [:]

        var json: JSONObject {
            [
                "event_type": eventType, "totals": totals, "oldest_failure": oldestFailure,
                "dead_by_reason": deadByReason,
            ]
        }
    }

    let at: Timestamp
    let database: String
    let databaseBytes: Int64
    let walBytes: Int64
    let totals: Totals
    let eventTypes: [EventType]
    let endpoints: [QueueSnapshot.Endpoint]
    let retryCalls: Int64
    let unconfirmedCalls: Int64
    let unreadableEntries: Int
    let nextAttempt: Timestamp?

    init(_ snapshot: QueueSnapshot, database path: String, at now: Timestamp) {
        at = now
        database = path
        (databaseBytes, walBytes) = QueueStore.fileSizes(ofDatabase: path)
        let types = Self.eventTypes(snapshot)
        var totals = types.reduce(into: Totals()) { $0.add($1.totals) }
        totals.held = snapshot.endpoints.map(\.held).reduce(0, +)
        self.totals = totals
        eventTypes = types.filter { !$0.isEmpty }
        endpoints = snapshot.endpoints
        retryCalls = snapshot.counts.filter { $0.name == Counter.retryRequests }.map(\.value).reduce(0, +)
        unconfirmedCalls = snapshot.count(Counter.unconfirmed)
        unreadableEntries = snapshot.unreadable
        nextAttempt = snapshot.nextAttempt
    }

    var json: JSONObject {
        [
            "at": at, "database": database, "database_bytes": databaseBytes, "wal_bytes": walBytes, "totals": totals,
            "event_types": eventTypes, "endpoints": endpoints.map(\.json), "retry_calls": retryCalls,
            "unconfirmed_calls": unconfirmedCalls, "unreadable_entries": unreadableEntries,
            "next_attempt": nextAttempt,
        ]
    }

    private static func eventTypes(_ snapshot: QueueSnapshot) -> [EventType] {
        let names = snapshot.eventTypes + [EventTypeLabels.other]
        return names.map { name in
            var type = EventType(eventType: name)
            if let open = snapshot.open.first(where: { $0.eventType == name }) {
                type.totals.scheduled = open.scheduled
                type.totals.attempting = open.attempting
                type.totals.awaiting = open.awaiting
                type.oldestFailure = open.oldestFailure
            }
            for dead in snapshot.dead where dead.eventType == name {
                type.totals.dead += dead.count
                type.deadByReason[dead.reason.rawValue] = dead.count
            }
            type.totals.delivered = snapshot.count(Counter.finalized, name, DeliveryState.delivered.rawValue)
            return type
        }
    }
}

extension StatusReport.Totals {
    mutating func add(_ other: StatusReport.Totals) {
        scheduled += other.scheduled
        attempting += other.attempting
        awaiting += other.awaiting
        delivered += other.delivered
        dead += other.dead
    }
}

extension StatusReport.EventType {
    fileprivate var isEmpty: Bool {
        totals.scheduled + totals.attempting + totals.awaiting + totals.dead == 0 && totals.delivered == 0
    }
}

extension QueueSnapshot.Endpoint {
    fileprivate var json: JSONObject {
        [
            "id": id, "name": name, "active": isActive, "open": open, "last_poll": lastPoll,
            "last_poll_error": lastPollError, "log_read_up_to": watermark, "unread_seconds": gap.inSeconds,
            "unread_since": unreadSince, "behind_gap": behindGap,
            "look_wanted_since": lookWanted, "behind_look": behindLook,
            "held_because": heldBecause?.rawValue, "held_since": heldSince,
            // `open` (its receiver fails for all deliveries), `draining` (it has just come back) or `closed`.
            "circuit": circuit.word, "next_trial": nextTrial,
        ]
    }

    /// When the open circuit tries the next delivery; during a trial the time after it.
    var nextTrial: Timestamp? {
        if case .open(_, let nextTrial) = circuit { nextTrial } else { nil }
    }
}

extension EndpointCircuit.Phase {
    fileprivate var word: String {
        switch self {
        case .closed: "closed"
        case .draining: "draining"
        case .open: "open"
        }
    }
}
