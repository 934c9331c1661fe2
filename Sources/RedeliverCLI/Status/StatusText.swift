import DeliveryQueue
import ProviderAPI

extension StatusReport {
    /// For people: columns aligned, ages relative to the moment of reading.
    func text(on terminal: Terminal) -> String {
        [summary, eventTypeText(terminal), endpointTable.text(on: terminal)].joined(separator: "\n\n")
    }

    private var summary: String {
        """
        \(totals.delivered) delivered, \(totals.scheduled) scheduled, \(totals.attempting) attempting, \
        \(totals.awaiting) awaiting, \(totals.held) held, \(totals.dead) dead
        \(retryCalls) retry calls, \(unconfirmedCalls) of them unconfirmed; \
        \(unreadableEntries) unreadable log entries
        next attempt \(nextAttempt.map(relative) ?? "none"); database \(databaseBytes + walBytes) bytes at \(Printable.text(database))
        """
    }

    private func eventTypeText(_ terminal: Terminal) -> String {
        eventTypes.isEmpty ? "no deliveries yet" : eventTypeTable.text(on: terminal)
    }

    private var eventTypeTable: Table {
        let columns = ["event_type", "scheduled", "attempting", "awaiting", "delivered", "dead", "oldest_open"]
        return Table(
            columns,
            eventTypes.map { type in
                let reasons = type.deadByReason.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
                let dead =
                    reasons.isEmpty
                    ? Cell("0") : Cell("\(type.totals.dead) (\(reasons.joined(separator: ", ")))", style: .bad)
                return [
                    Cell(type.eventType), "\(type.totals.scheduled)", "\(type.totals.attempting)",
                    "\(type.totals.awaiting)", "\(type.totals.delivered)", dead,
                    Cell(ifAny: type.oldestFailure.map(relative)),
                ]
            })
    }

    private var endpointTable: Table {
        Table(
            ["endpoint", "open", "last_poll", "read_up_to", "held", "last_poll_error"],
            endpoints.map { endpoint in
                return [
                    Cell(endpoint.name), "\(endpoint.open)", Cell(endpoint.lastPoll.map(relative) ?? "never"),
                    Cell(ifAny: endpoint.watermark.map(relative)), Cell(ifAny: held(endpoint), style: .warning),
                    Cell(ifAny: endpoint.lastPollError, style: .bad),
                ]
            })
    }

    /// nil when it is not held.
    private func held(_ endpoint: QueueSnapshot.Endpoint) -> String? {
        guard endpoint.isActive else { return "not configured" }
        if endpoint.heldBecause == nil, endpoint.behindGap > 0, let since = endpoint.unreadSince {
            return "\(endpoint.behindGap) wait for an unread part of the log, since \(relative(since))"
        }
        if endpoint.heldBecause == nil, endpoint.behindLook > 0, let since = endpoint.lookWanted {
            return "\(endpoint.behindLook) wait for a look at the log, since \(relative(since))"
        }
        guard endpoint.heldBecause == .circuit, let trial = endpoint.nextTrial else {
            return endpoint.heldBecause?.rawValue
        }
        let next = trial > at ? "next trial \(relative(trial))" : "trial due"
        return "\(HeldBecause.circuit.rawValue), \(next)"
    }

    private func relative(_ time: Timestamp) -> String { TimeText.relative(time, at: at) }
}
