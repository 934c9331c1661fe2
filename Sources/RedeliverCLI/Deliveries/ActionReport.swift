import DeliveryQueue
import ProviderAPI

/// What an action on deliveries did or would do.
struct ActionReport {
    static let sampleSize = 10

    let action: OperatorAction
    let matched: Int
    /// The delivery, when the action was for a single one.
    var delivery: DeliveryRecord?
    var isDryRun = true
    var sample: [DeliveryRecord] = []
    var done = 0
    var skipped: [OperatorAction.Refusal: Int] = [:]
    var daemon = DaemonPresence.absent
    /// Calls made from here because no daemon runs; nil when none was needed.
    var called: Int?
    /// How many of them the provider accepted.
    var accepted: Int?
    /// The error of the calls from here; retries that were not called stay recorded. nil without an error.
    var obstacle: (any Error)?
    /// Retries that wait until a log can be read, of this command and of earlier ones.
    var waiting: [WaitingRetries] = []

    init(action: OperatorAction, matched: Int, delivery: DeliveryRecord? = nil) {
        self.action = action
        self.matched = matched
        self.delivery = delivery
        isDryRun = delivery == nil
    }

    func text(on terminal: Terminal, at now: Timestamp) -> String {
        guard matched > 0 else { return "no delivery matches; nothing was changed" }
        if isDryRun { return dryRun(on: terminal, at: now) }
        var lines: [String] = []
        if let delivery {
            lines.append("delivery \(delivery.delivery.id) (\(Printable.text(delivery.whose))): \(outcome)")
        } else {
            lines.append("\(done) of \(matched) deliveries: \(outcome)")
        }
        lines += skipped.sorted { $0.key.rawValue < $1.key.rawValue }.map { "skipped \($0.value): \($0.key.rawValue)" }
        if let next = whatNext { lines.append(next) }
        lines += waiting.map(Self.text)
        return lines.joined(separator: "\n")
    }

    private static func text(_ waiting: WaitingRetries) -> String {
        let name = Printable.text(waiting.endpoint)
        let cause = waiting.pollError.map { "cannot be read: \(Printable.text($0))" } ?? "is not read to its end"
        let retries = waiting.count == 1 ? "1 retry waits" : "\(waiting.count) retries wait"
        return """
            the log of endpoint \(name) \(cause). It may show that a delivery has arrived, so \(retries) until it is read; to \
            send without it, run `redeliver deliveries retry` with --unread
            """
    }

    private var outcome: String {
        switch action {
        case .retry: "a retry is asked for"
        case .discard: "discarded"
        case .requeue: "scheduled again, with all attempts"
        }
    }

    private var whatNext: String? {
        guard done > 0, action != .discard else { return nil }
        switch daemon {
        case .running(let process):
            return "the running daemon\(process.map { " (process \($0))" } ?? "") acts on it within a second"
        case .unknown: return "a running daemon acts on it within a second"
        case .absent: break
        }
        guard let called, let accepted else {
            return obstacle == nil
                ? "no daemon runs; the next daemon acts on it at its start"
                : "no daemon runs, and the calls from here failed; the next daemon makes the rest at its start"
        }
        if obstacle != nil, called == 0 {
            return "no daemon runs, and no call could be made from here; the next daemon makes them at its start"
        }
        let rest = done - called
        var text = """
            no daemon runs, so \(called) \(called == 1 ? "call was" : "calls were") made from here; the provider accepted \
            \(accepted); the log will show the result
            """
        if rest > 0 { text += "\n\(rest) could not be called now; the next daemon calls them at its start" }
        return text
    }

    private func dryRun(on terminal: Terminal, at now: Timestamp) -> String {
        let table = DeliveryList(sample).table(at: now).text(on: terminal)
        let more = matched > sample.count ? "\n… \(matched - sample.count) more" : ""
        return """
            would \(action.rawValue) \(matched) \(matched == 1 ? "delivery" : "deliveries"):

            \(table)\(more)

            nothing was changed; give --confirm and --reason to do it
            """
    }
}

extension ActionReport: JSONReport {
    var json: JSONObject {
        if isDryRun {
            return [
                "action": action.rawValue, "matched": matched, "dry_run": true,
                "sample": sample.map(DeliveryReport.init),
            ]
        }
        return [
            "action": action.rawValue, "matched": matched, "dry_run": false, "done": done,
            "delivery": delivery.map(DeliveryReport.init),
            "skipped": Dictionary(uniqueKeysWithValues: skipped.map { ($0.key.word, $0.value) }),
            "daemon_runs": daemon != .absent, "called": called, "accepted": accepted,
            "obstacle": obstacle.map { "\($0)" },
            "waiting_for_log": waiting.map {
                ["endpoint": $0.endpoint, "count": $0.count, "poll_error": $0.pollError] as JSONObject
            },
        ]
    }
}

extension OperatorAction.Refusal {
    /// For scripts.
    fileprivate var word: String {
        switch self {
        case .underWay: "under_way"
        case .delivered: "delivered"
        case .dead: "dead"
        case .waiting: "waiting"
        case .asked: "asked"
        case .noBody: "no_body"
        case .paused: "paused"
        case .notConfigured: "not_configured"
        }
    }
}
