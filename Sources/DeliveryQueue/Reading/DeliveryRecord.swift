/// A delivery as a person sees it: with facts that the rules do not need, and never with its body.
package struct DeliveryRecord: Sendable, Equatable {
    package let delivery: Delivery
    package let endpointName: String
    /// Set exactly when dead.
    package let deadReason: DeadReason?
    /// Set exactly when delivered.
    package let evidence: Evidence?
    /// When it was delivered or died.
    package let finalized: Timestamp?
    /// A newer event of the same webhook, customer and type arrived under this task id.
    package let supersededBy: String?
    /// The newest failure's text, from the log.
    package let lastError: String?
    /// What holds it; nil: nothing does. From the view `delivery_standing`.
    package var heldBecause: HeldBecause?
    /// Whether a part of its log that is not read may show that it has arrived. It is not called before. From the view
    /// `delivery_standing`.
    package var isBehindGap = false
    /// Since when a part of its endpoint's log is unread; nil: none is.
    package var unreadSince: Timestamp?
    /// Since when a look at its log is overdue, for which it waits once it is due; nil: none is.
    package var lookWanted: Timestamp?
    /// Why the last poll of its log failed; nil: it succeeded, or none was tried.
    package var lastPollError: String?

    /// Since when it waits for its log to be read; nil: it does not.
    package func waitsForLog(at now: Timestamp) -> Timestamp? {
        guard heldBecause == nil, let next = delivery.nextAttempt, next <= now else { return nil }
        return isBehindGap ? unreadSince : lookWanted
    }
}

/// Everything that is known of one delivery.
package struct DeliveryHistory: Sendable, Equatable {
    /// The state of its endpoint, which may hold a due delivery back.
    package struct Endpoint: Sendable, Equatable {
        /// false: no longer in the configuration.
        package let isActive: Bool
        package let holdReason: HoldReason?
        package let holdSince: Timestamp?
        /// When one call is tried; nil with a reason: the hold lasts until a success in the log, or an operator.
        package let holdUntil: Timestamp?
        package let circuit: EndpointCircuit.Phase
        /// The task id of the trial that is under way; nil: none is.
        package let trialTask: String?
        /// nil when the last poll of its log succeeded, or none was tried.
        package let lastPollError: String?
        /// Since when a part of its log is unread; nil: none is.
        package var unreadSince: Timestamp?
    }

    package enum Source: String, SQLWord, Sendable {
        case log, retry, `operator`
    }

    /// One line of the timeline.
    package struct Event: Sendable, Equatable {
        package let time: Timestamp
        package let source: Source
        /// The log's outcome, the retry's end or answer, or the operator's action.
        package let what: String
        /// nil when there is nothing to add.
        package let detail: String?
    }

    /// Why the running daemon makes no call at all.
    package struct Pause: Sendable, Equatable {
        /// `throttled`, `unavailable`, `outage` or `credential`.
        package let reason: String
        package let since: Timestamp
        /// nil: until the credential works.
        package let until: Timestamp?

        package init(reason: String, since: Timestamp, until: Timestamp?) {
            self.reason = reason
            self.since = since
            self.until = until
        }
    }

    package let record: DeliveryRecord
    package let endpoint: Endpoint
    /// nil when calls are made; means nothing while no daemon runs.
    package let pause: Pause?
    /// Further task ids under which the provider logs it.
    package let aliases: [String]
    /// Oldest first.
    package let events: [Event]
    /// Hexadecimal SHA-256 of the body as it was logged.
    package let bodyDigest: String
    /// nil once it was dropped.
    package let bodySize: Int?
}
