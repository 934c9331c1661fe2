import DeliveryQueue
import DeliveryWorker
import ProviderAPI

/// Why a delivery is not retried at this moment, until when, and what can be done. Pure. Each case has a sentence for
/// people and a word for scripts.
struct Standing: Equatable {
    /// The word for scripts.
    enum Word: String {
        case delivered, dead, attempting, awaiting, held, waiting, paused, due
        case notConfigured = "not_configured"
        case noDaemon = "no_daemon"
        case behindGap = "behind_gap"
        case behindLook = "behind_look"
    }

    let word: Word
    let sentence: String
    /// When that ends by itself; nil when it does not, or when the time is unknown.
    var until: Timestamp?

    init(_ history: DeliveryHistory, daemon: DaemonPresence, at now: Timestamp) {
        let delivery = history.record.delivery
        switch delivery.state {
        case .delivered: self = .delivered(history.record, at: now)
        case .dead: self = .dead(history.record, at: now)
        case .attempting: self = .attempting(delivery, at: now)
        case .awaiting: self = .awaiting(delivery, history.endpoint, at: now)
        case .scheduled: self = .scheduled(delivery, history, daemon, at: now)
        }
    }

    private init(_ word: Word, _ sentence: String, until: Timestamp? = nil) {
        self.word = word
        self.sentence = sentence
        self.until = until
    }

    // MARK: - Not scheduled

    private static func delivered(_ record: DeliveryRecord, at now: Timestamp) -> Standing {
        let time = record.finalized.map { " \(TimeText.full($0, at: now))" } ?? ""
        let proof =
            switch record.evidence {
            case nil: ""
            case let evidence? where evidence.source == .answer: ", by the answer of the retry call"
            case let evidence?: ", by the log entry of task \(evidence.taskID ?? record.delivery.taskID)"
            }
        let actor = record.evidence.map { " by the \($0.actor.rawValue)'s attempt" } ?? ""
        return Standing(.delivered, "delivered\(actor)\(time)\(proof)")
    }

    private static func dead(_ record: DeliveryRecord, at now: Timestamp) -> Standing {
        let time = record.finalized.map { " \(TimeText.full($0, at: now))" } ?? ""
        let id = record.delivery.id
        return Standing(
            .dead,
            """
            given up\(time): \(record.deadReason?.explanation ?? "the reason is unknown"). To begin a new cycle, run `redeliver \
            deliveries requeue id:\(id) --reason …`; `retry` sends it once
            """)
    }

    private static func attempting(_ delivery: Delivery, at now: Timestamp) -> Standing {
        let since = delivery.called.map { " since \(TimeText.full($0, at: now))" } ?? ""
        return Standing(.attempting, "a retry call is in flight\(since)")
    }

    private static func awaiting(
        _ delivery: Delivery, _ endpoint: DeliveryHistory.Endpoint, at now: Timestamp
    ) -> Standing {
        let called = delivery.called.map { " \(TimeText.full($0, at: now))" } ?? ""
        let limit = delivery.confirmBy.map { " until \(TimeText.full($0, at: now))" } ?? ""
        var sentence = "called\(called); the log should show the result\(limit)"
        if let error = endpoint.lastPollError {
            sentence += ". But the log cannot be read, and the wait does not end before it was: \(error)"
        }
        return Standing(.awaiting, sentence, until: delivery.confirmBy)
    }

    // MARK: - Scheduled

    private static func scheduled(
        _ delivery: Delivery, _ history: DeliveryHistory, _ daemon: DaemonPresence, at now: Timestamp
    ) -> Standing {
        let endpoint = history.endpoint
        if let because = history.record.heldBecause { return held(because, history, at: now) }
        if let next = delivery.nextAttempt, next > now {
            let what =
                delivery.manual == nil
                ? "waits for its next attempt" : "an operator asked for a retry; it waits for its turn"
            return Standing(.waiting, "\(what): \(TimeText.full(next, at: now))", until: next)
        }
        if history.record.isBehindGap { return behindGap(history, at: now) }
        if daemon == .absent {
            return Standing(.noDaemon, "due, but no daemon works on this database; start one with `redeliver run`")
        }
        if let pause = history.pause, pause.until.map({ $0 > now }) ?? true {
            let end = pause.until.map { "until \(TimeText.full($0, at: now))" } ?? "until the credential works"
            let since = "since \(TimeText.full(pause.since, at: now))"
            return Standing(
                .paused, "due, but the daemon makes no calls \(since), \(end): \(pauseText(pause.reason))",
                until: pause.until)
        }
        if let since = history.record.waitsForLog(at: now) { return behindLook(since, endpoint, at: now) }
        let asked = delivery.manual.map { " (an operator asked for it \(TimeText.relative($0.asked, at: now)))" } ?? ""
        let doubt =
            delivery.manual?.ignoresLog == true
            ? nil
            : endpoint.lastPollError.map {
                "; nothing is called before the endpoint's log was read, and reading fails: \($0)"
            }
        let drain =
            if case .draining(let limit) = endpoint.circuit, delivery.manual == nil {
                "; its endpoint has just come back, so at most \(limit) of its calls are open at once"
            } else {
                ""
            }
        return Standing(.due, "due\(asked): sent as soon as the rate limit allows\(drain)\(doubt ?? "")")
    }

    private static func behindGap(_ history: DeliveryHistory, at now: Timestamp) -> Standing {
        let since = history.endpoint.unreadSince.map { " since \(TimeText.full($0, at: now))" } ?? ""
        let cause = history.endpoint.lastPollError.map { ": \($0)" } ?? ""
        let name = Printable.text(history.record.endpointName)
        return Standing(
            .behindGap,
            """
            due, but a part of its endpoint's log is unread\(since)\(cause). It may show that the delivery has arrived, so it is \
            not called. Reading is tried again and again; after a day, `redeliver endpoints resume \(name) --unread --reason …` \
            lets it be called
            """)
    }

    private static func behindLook(
        _ since: Timestamp, _ endpoint: DeliveryHistory.Endpoint, at now: Timestamp
    ) -> Standing {
        let cause = endpoint.lastPollError.map { ", and reading fails: \($0)" } ?? ", which takes long"
        return Standing(
            .behindLook,
            """
            due, and waits since \(TimeText.full(since, at: now)) for a look at its endpoint's log\(cause). The log may show that \
            the delivery has arrived, so it is not called before
            """)
    }

    private static func held(_ because: HeldBecause, _ history: DeliveryHistory, at now: Timestamp) -> Standing {
        switch (because, history.endpoint.circuit) {
        case (.notConfigured, _):
            return Standing(
                .notConfigured, "its endpoint is not in the configuration; the delivery is kept and not retried")
        case (.circuit, .open(let since, let nextTrial)):
            return held(byCircuitSince: since, nextTrial: nextTrial, history, at: now)
        default:
            return held(HoldReason(rawValue: because.rawValue) ?? .operator, history, at: now)
        }
    }

    private static func held(
        byCircuitSince since: Timestamp, nextTrial: Timestamp, _ history: DeliveryHistory, at now: Timestamp
    ) -> Standing {
        let name = history.record.endpointName
        let trial =
            history.endpoint.trialTask.map { "the trial of task \($0) is under way" }
            ?? "one delivery is tried \(TimeText.full(nextTrial, at: now))"
        return Standing(
            .held,
            """
            its endpoint \(name) is held since \(TimeText.full(since, at: now)): its receiver fails for all deliveries \
            (circuit). The wait uses no attempt and no age; \(trial), and any arrival makes all held deliveries due. To end \
            the hold now, run `redeliver endpoints resume \(name) --reason …`
            """,
            until: history.endpoint.trialTask == nil ? nextTrial : nil)
    }

    private static func held(_ reason: HoldReason, _ history: DeliveryHistory, at now: Timestamp) -> Standing {
        let endpoint = history.endpoint
        let name = history.record.endpointName
        let since = endpoint.holdSince.map { " since \(TimeText.full($0, at: now))" } ?? ""
        let resume = "`redeliver endpoints resume \(name) --reason …`"
        let cause =
            switch reason {
            case .operator: "an operator paused it; to end that, run \(resume)"
            case .logSilent:
                """
                the log did not show three retries in a row (log_silent). A success in the log ends the hold. If this log \
                never shows retries, set confirm.by: answer; what the provider then accepts and does not deliver is lost. \
                To end the hold now, run \(resume)
                """
            case .rejected: "the provider refused three deliveries in a row (rejected)"
            case .forbidden:
                """
                the provider, or a firewall before it, forbids our retries and lets us read logs (forbidden): check the \
                permissions of the user and the rules of the firewall
                """
            case .redirected: "the provider redirects retries, so base_url is wrong (redirected)"
            case .clientRefused:
                """
                the provider, or a proxy before it, refuses our calls whatever they send (client_refused): the status of the \
                last call in `redeliver deliveries show` says whether it is the account, the proxy, the path or the request's form
                """
            case .bodyForm:
                "the provider wants the body in another form (body_form): set retry.body to text, or back to json, and reload"
            }
        let end = endpoint.holdUntil.map { "; one delivery is tried \(TimeText.full($0, at: now))" } ?? ""
        return Standing(.held, "its endpoint \(name) is held\(since): \(cause)\(end)", until: endpoint.holdUntil)
    }

    private static func pauseText(_ reason: String) -> String {
        switch CallGate.Closed(rawValue: reason) {
        case .throttled: "the provider asked to slow down (HTTP 429)"
        case .unavailable: "the provider is not available (HTTP 503 or 425)"
        case .outage: "the provider does not answer"
        case .credential: "the provider refuses the credential, or forbids it everything; `redeliver doctor` says why"
        case nil: reason
        }
    }
}
