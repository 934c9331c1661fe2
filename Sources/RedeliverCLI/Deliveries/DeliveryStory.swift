import DeliveryQueue
import ProviderAPI

/// What `redeliver deliveries show` says about one delivery.
struct DeliveryStory: JSONReport {
    let history: DeliveryHistory
    let standing: Standing
    /// nil when no configuration could be read.
    let policy: (policy: RetryPolicy, match: PolicyBook.Match)?
    let remaining: Timetable.Remaining?
    /// nil when it was not requested or is not stored any more.
    let body: [UInt8]?
    let now: Timestamp

    init(
        _ history: DeliveryHistory, policies: PolicyBook?, daemon: DaemonPresence, body: [UInt8]?, at now: Timestamp
    ) {
        self.history = history
        standing = Standing(history, daemon: daemon, at: now)
        policy = policies?.policy(for: history.record.delivery.eventType)
        remaining = policy.map {
            Timetable.remaining(for: history.record.delivery.bySchedule, policy: $0.policy, at: now)
        }
        self.body = body
        self.now = now
    }

    // MARK: - For scripts

    /// Keys are stable; times are Unix seconds.
    var json: JSONObject {
        [
            "delivery": DeliveryReport(record: history.record),
            "aliases": history.aliases,
            "body_sha256": history.bodyDigest,
            "body_bytes": history.bodySize,
            // The raw JSON text.
            "body": body.map { String(decoding: $0, as: UTF8.self) },
            "standing": standing.word.rawValue,
            "standing_text": standing.sentence,
            "standing_until": standing.until,
            // `exact`, `glob …` or `default`; absent, as the next two, when no configuration could be read.
            "policy": policy.map { $0.match.text },
            "remaining_attempts": remaining?.attempts.map { (attempt) -> JSONObject in
                ["number": attempt.number, "at": attempt.at]
            },
            // The reason of its death if all of them fail; absent also when it is settled.
            "ends_with": remaining?.end?.rawValue,
            "timeline": history.events.map { (event) -> JSONObject in
                ["at": event.time, "source": event.source.rawValue, "what": event.what, "detail": event.detail]
            },
        ]
    }

    // MARK: - For people

    func text(on terminal: Terminal) -> String {
        [facts(terminal), timeline(terminal), timetable, bodyText].compactMap(\.self).joined(separator: "\n\n")
    }

    private func facts(_ terminal: Terminal) -> String {
        let record = history.record
        let delivery = record.delivery
        var lines = [
            ("delivery", "\(delivery.id), task \(delivery.taskID)"),
            ("endpoint", "\(record.endpointName) (\(delivery.endpointID))"),
            ("event type", delivery.eventType),
            ("customer", delivery.customerID ?? "none"),
            ("webhook", delivery.webhookID),
            ("first failed", TimeText.full(delivery.firstFailed, at: now)),
            ("last failed", TimeText.full(delivery.lastFailed, at: now)),
        ]
        if let error = record.lastError { lines.append(("last error", error)) }
        if !history.aliases.isEmpty { lines.append(("also logged as", history.aliases.joined(separator: ", "))) }
        if let newer = record.supersededBy { lines.append(("superseded by", "task \(newer)")) }
        lines.append(("attempts", "\(delivery.attemptsUsed) used in cycle \(delivery.cycle)"))
        lines.append(("policy", policyText))
        lines.append(("body", bodyFacts))
        let width = lines.map(\.0.count).max() ?? 0
        let state = terminal.paint(delivery.state.rawValue.uppercased(), delivery.state.style)
        let heading = "\(state): \(Printable.text(standing.sentence))\n\n"
        return heading
            + lines.map { name, value in
                name + String(repeating: " ", count: width + 2 - name.count) + Printable.text(value)
            }.joined(separator: "\n")
    }

    private var policyText: String {
        guard let policy else { return "unknown, because the configuration cannot be read" }
        return "\(policy.match.explanation); at most \(policy.policy.maxAttempts) attempts, "
            + "none later than \(TimeText.duration(policy.policy.maxAge)) after the first failure"
    }

    private var bodyFacts: String {
        let size = history.bodySize.map { "\($0) bytes" } ?? "not stored any more"
        return "\(size), SHA-256 \(history.bodyDigest)"
    }

    private func timeline(_ terminal: Terminal) -> String {
        Table(
            ["at", "source", "what", "detail"],
            history.events.map { event in
                [
                    Cell(event.time, at: now), Cell(event.source.rawValue), Cell(event.what, style: event.style),
                    Cell(event.detail ?? ""),
                ]
            }
        ).text(on: terminal)
    }

    /// At most this many future attempts are listed.
    private static let attemptsShown = 20

    private var timetable: String? {
        guard let remaining, history.record.delivery.state.isOpen else { return nil }
        let shown = remaining.attempts.prefix(Self.attemptsShown)
        var lines = shown.map { "  attempt \($0.number)  \(TimeText.full($0.at, at: now))" }
        if remaining.attempts.count > shown.count { lines.append("  … \(remaining.attempts.count - shown.count) more") }
        if let end = remaining.end { lines.append("  then dead: \(end.rawValue)") }
        return "timetable, if each attempt fails at once:\n" + lines.joined(separator: "\n")
    }

    private var bodyText: String? {
        body.map { "body:\n" + Printable.text(String(decoding: $0, as: UTF8.self)) }
    }
}

extension Delivery {
    /// The delivery as its schedule has it, without the retry that an operator asked for.
    fileprivate var bySchedule: Delivery {
        guard let manual, case .attempt(let time) = manual.kept else { return self }
        var delivery = self
        delivery.manual = nil
        if state == .scheduled { delivery.nextAttempt = time }
        return delivery
    }
}

extension DeliveryHistory.Event {
    fileprivate var style: Style {
        switch (LogOutcome(rawValue: what), AttemptEnd(rawValue: what)) {
        case (.succeeded, _), (_, .delivered): .good
        case (.failed, _), (_, .failed), (_, .refused), (_, .unconfirmed): .bad
        case (.inProgress, _), (nil, .notExecuted), (nil, nil): .plain
        }
    }
}

extension PolicyBook.Match {
    /// For scripts.
    var text: String {
        switch self {
        case .exact: "exact"
        case .glob(let pattern): "glob \(pattern)"
        case .standard: "default"
        }
    }

    fileprivate var explanation: String {
        switch self {
        case .exact: "the policy that names this event type"
        case .glob(let pattern): "the policy with the longest matching pattern, \(pattern)"
        case .standard: "the built-in policy, because no configured policy matches"
        }
    }
}
