import DeliveryQueue
import Foundation

/// What `redeliver status` prints, as JSON and as text. Keys are stable; times are Unix seconds.
struct StatusReport: Encodable {
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

    struct EventType: Encodable {
        let eventType: String
        var totals = Totals()
        var oldestFailure: Double?
        var deadByReason: [String: Int] = [:]
    }

    struct Endpoint: Encodable {
        let id: String
        let name: String
        let active: Bool
        let open: Int
        let lastPoll: Double?
        let lastPollError: String?
        let logReadUpTo: Double?
        let unreadSeconds: Double
        let heldBecause: String?
        let heldSince: Double?
        /// `open` (its receiver fails for all deliveries), `draining` (it has just come back) or `closed`.
        let circuit: String
        /// When the open circuit tries the next delivery; during a trial the time after it.
        let nextTrial: Double?
    }

    let at: Double
    let database: String
    let databaseBytes: Int64
    let walBytes: Int64
    let totals: Totals
    let eventTypes: [EventType]
    let endpoints: [Endpoint]
    let retryCalls: Int64
    let unconfirmedCalls: Int64
    let unreadableEntries: Int
    let nextAttempt: Double?

    init(_ snapshot: QueueSnapshot, database path: String, at now: Timestamp) {
        at = now.seconds
        database = path
        (databaseBytes, walBytes) = QueueStore.fileSizes(ofDatabase: path)
        let types = Self.eventTypes(snapshot)
        var totals = types.reduce(into: Totals()) { $0.add($1.totals) }
        totals.held = snapshot.endpoints.map(\.held).reduce(0, +)
        self.totals = totals
        eventTypes = types.filter { !$0.isEmpty }
        endpoints = snapshot.endpoints.map(Endpoint.init)
        retryCalls = snapshot.counts.filter { $0.name == Counter.retryRequests }.map(\.value).reduce(0, +)
        unconfirmedCalls = snapshot.count(Counter.unconfirmed)
        unreadableEntries = snapshot.unreadable
        nextAttempt = snapshot.nextAttempt?.seconds
    }

    private static func eventTypes(_ snapshot: QueueSnapshot) -> [EventType] {
        let names = snapshot.eventTypes + [EventTypeLabels.other]
        return names.map { name in
            var type = EventType(eventType: name)
            if let open = snapshot.open.first(where: { $0.eventType == name }) {
                type.totals.scheduled = open.scheduled
                type.totals.attempting = open.attempting
                type.totals.awaiting = open.awaiting
                type.oldestFailure = open.oldestFailure.seconds
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

extension StatusReport.Endpoint {
    init(_ endpoint: QueueSnapshot.Endpoint) {
        id = endpoint.id
        name = endpoint.name
        active = endpoint.isActive
        open = endpoint.open
        lastPoll = endpoint.lastPoll?.seconds
        lastPollError = endpoint.lastPollError
        logReadUpTo = endpoint.watermark?.seconds
        unreadSeconds = endpoint.gap.inSeconds
        heldBecause = endpoint.heldBecause?.rawValue
        heldSince = endpoint.heldSince?.seconds
        (circuit, nextTrial) =
            switch endpoint.circuit {
            case .closed: ("closed", nil)
            case .draining: ("draining", nil)
            case .open(_, let nextTrial): ("open", nextTrial.seconds)
            }
    }
}
