/// Where a delivery stands on its way to being delivered, and the only place that says which moves there are.
package enum DeliveryState: String, Sendable, CaseIterable, Codable {
    /// Waits for its next attempt.
    case scheduled
    /// The intent is committed and the call is in flight, fenced by a lease token.
    case attempting
    /// The provider took the retry on, or we do not know: the log decides.
    case awaiting
    /// Arrived, with evidence. Final.
    case delivered
    /// Given up, with a reason. Final until an operator acts or a late success shows in the log.
    case dead

    /// The states that a delivery may go to from this one. A success in the log settles it from any state.
    package var next: Set<DeliveryState> {
        switch self {
        case .scheduled: [.attempting, .delivered, .dead]
        case .attempting: [.awaiting, .scheduled, .delivered, .dead]
        case .awaiting: [.delivered, .scheduled, .dead]
        case .delivered: []
        case .dead: [.scheduled, .delivered]
        }
    }

    /// Whether the delivery may still be retried without an operator.
    package var isOpen: Bool {
        self != .delivered && self != .dead
    }
}

/// Why a delivery was given up.
package enum DeadReason: String, Sendable, CaseIterable, Codable {
    /// Its policy's attempts are used up.
    case attempts
    /// The next attempt would begin after its policy's `max_age`.
    case age
    /// The provider refused the retry for good (400, 404 twice, 410, 413, 415, 422).
    case rejected
    /// A newer event of the same webhook, customer and type has arrived, and its policy says `skip`.
    case superseded
    /// An operator gave it up.
    case discarded
    /// The provider answered its retries with 5xx five times in a row while it took on others.
    case poison
}

/// Proof that a delivery arrived.
package struct Evidence: Sendable, Equatable {
    /// Whose attempt arrived.
    package enum Actor: String, Sendable, CaseIterable {
        case provider, worker, `operator`
    }

    package enum Source: String, Sendable, CaseIterable {
        /// A success in the provider's log.
        case log
        /// A 2xx of the retry call, where `confirm.by: answer` is configured.
        case answer
    }

    package let actor: Actor
    package let source: Source
    /// The task id of the log entry that shows the success; nil when the evidence is an answer.
    package let taskID: String?

    package init(actor: Actor, source: Source, taskID: String?) {
        self.actor = actor
        self.source = source
        self.taskID = taskID
    }
}

/// A change of one delivery: decided by the rules, carried out by the store in one transaction.
package enum Transition: Sendable, Equatable {
    /// Claimed: the call may begin and must be over by then. `isTrial`: to learn whether its endpoint's receiver is back.
    case attempt(leaseUntil: Timestamp, isTrial: Bool = false)
    /// The log has until then to show the outcome.
    case await(until: Timestamp)
    /// Waits for an operator's retry, which is due then; the schedule is kept beside it.
    case retry(ManualRetry, at: Timestamp)
    /// Waits for its next attempt. `usesAttempt` tells whether the one before counts against the policy.
    case schedule(at: Timestamp, usesAttempt: Bool)
    /// A trial that failed: back to its place in its endpoint's line. By its own time it would be due then; no attempt is used.
    case standBack(until: Timestamp)
    case deliver(Evidence)
    /// Given up. `usesAttempt` as in `schedule`.
    case die(DeadReason, usesAttempt: Bool)

    package var target: DeliveryState {
        switch self {
        case .attempt: .attempting
        case .await: .awaiting
        case .schedule, .standBack, .retry: .scheduled
        case .deliver: .delivered
        case .die: .dead
        }
    }

    /// The same, but no attempt before `earliest`; nil changes nothing.
    func notBefore(_ earliest: Timestamp?) -> Transition {
        guard let earliest, case .schedule(let at, let usesAttempt) = self else { return self }
        return .schedule(at: max(at, earliest), usesAttempt: usesAttempt)
    }
}
