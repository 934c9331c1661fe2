import ArgumentParser
import DeliveryQueue
import DeliveryWorker

extension DeliveriesCommand {
    /// `redeliver deliveries list`: deliveries that match, newest first.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists deliveries, newest first, optionally filtered. It never prints a body.")

        @OptionGroup var database: DatabaseOption
        @OptionGroup var filter: FilterOptions

        @Option(
            help: ArgumentHelp("Only deliveries that are dead for this reason; may be repeated.", valueName: "reason"))
        var reason: [DeadReason] = []

        @Option(name: .customLong("limit"), help: "Print at most this many rows; 0 prints all. Default: 50.")
        private var wantedLimit: Int?

        private var limit: Int { wantedLimit ?? 50 }

        @OptionGroup var output: RowOutputOptions

        func validate() throws {
            if limit < 0 { throw ValidationError("--limit: expected a number of rows, 0 or more") }
        }

        func run() async throws {
            try await Exit.onError {
                let now = WallClock.system.now
                let reader = try QueueReader(path: try database.path())
                let wanted = try filter.filter(in: reader, reasons: reason, at: now)
                // One more row than is shown tells whether there are more, without counting all.
                let found = try reader.deliveries(matching: wanted, limit: limit == 0 ? 0 : min(limit, .max - 1) + 1)
                let hasMore = limit > 0 && found.count > limit
                let list = DeliveryList(found.prefix(hasMore ? limit : found.count))
                try output.print(list.rows, list.table(at: now), footer: list.footer(hasMore: hasMore))
            }
        }
    }
}

/// What `redeliver deliveries list` prints.
struct DeliveryList {
    let records: [DeliveryRecord]

    init(_ records: some Sequence<DeliveryRecord>) {
        self.records = Array(records)
    }

    var rows: [DeliveryReport] { records.map(DeliveryReport.init) }

    func table(at now: Timestamp) -> Table {
        let columns = [
            "id", "task_id", "endpoint", "event_type", "customer_id", "state", "reason", "attempts", "first_failed",
            "next_attempt", "last_error",
        ]
        return Table(
            columns,
            records.map { record in
                let delivery = record.delivery
                return [
                    "\(delivery.id)", Cell(delivery.taskID), Cell(record.endpointName), Cell(delivery.eventType),
                    Cell(ifAny: delivery.customerID), Cell(delivery.state.rawValue, style: delivery.state.style),
                    Cell(ifAny: record.deadReason?.rawValue ?? wait(of: record, at: now)), "\(delivery.attemptsUsed)",
                    Cell(delivery.firstFailed, at: now), Cell(delivery.nextAttempt, at: now),
                    Cell(ifAny: record.lastError),
                ]
            }, spare: ["customer_id", "first_failed", "attempts", "last_error", "reason"])
    }

    /// nil when it does not wait for its log to be read.
    private func wait(of record: DeliveryRecord, at now: Timestamp) -> String? {
        record.waitsForLog(at: now).map {
            let cause = record.lastPollError.map { ": \($0)" } ?? ""
            return "\(record.isBehindGap ? "log unread" : "no look") since \(TimeText.relative($0, at: now))\(cause)"
        }
    }

    func footer(hasMore: Bool) -> String {
        if hasMore { return "the newest \(records.count); there are more: raise --limit or narrow the filter" }
        return records.isEmpty ? "no delivery matches" : "\(records.count) in all"
    }
}

/// A delivery in JSON. Keys are stable; times are Unix seconds; absent keys have no value.
struct DeliveryReport: JSONReport {
    let record: DeliveryRecord

    var json: JSONObject {
        let delivery = record.delivery
        return [
            "id": delivery.id,
            "task_id": delivery.taskID,
            "endpoint_id": delivery.endpointID,
            "endpoint": record.endpointName,
            "event_type": delivery.eventType,
            "customer_id": delivery.customerID,
            "webhook_id": delivery.webhookID,
            "state": delivery.state.rawValue,
            "dead_reason": record.deadReason?.rawValue,
            "delivered_by": record.evidence?.actor.rawValue,
            "cycle": delivery.cycle,
            "attempts_used": delivery.attemptsUsed,
            "first_failed": delivery.firstFailed,
            "last_failed": delivery.lastFailed,
            "next_attempt": delivery.nextAttempt,
            "confirm_by": delivery.confirmBy,
            // When an operator asked for a retry; absent when none is open.
            "retry_asked": delivery.manual?.asked,
            "finalized": record.finalized,
            // What of its log must be read before it is called, since when, and why it is not; absent when nothing
            // must.
            "log_unread_since": record.isBehindGap ? record.unreadSince : nil,
            "look_wanted_since": record.lookWanted,
            "log_error": record.isBehindGap || record.lookWanted != nil ? record.lastPollError : nil,
            "superseded_by": record.supersededBy,
            "last_error": record.lastError,
        ]
    }
}

extension DeliveryState {
    var style: Style {
        switch self {
        case .scheduled, .attempting, .awaiting: .warning
        case .delivered: .good
        case .dead: .bad
        }
    }
}
