/// The states of a delivery. `next` is the only place that says which moves there are.
package enum DeliveryState: String, SQLWord, Sendable, CaseIterable, Codable {
    /// Waits for its next attempt.
    case scheduled
    /// The intent is committed and the call is in flight, fenced by a lease token.
    case attempting
    /// The call is over, and the provider may have executed it: the log decides.
    case awaiting
    /// Arrived, with evidence. Final, unless only an answer proved it and the log contradicts, or its task fails anew:
    /// later, and with another body.
    case delivered
    /// Given up, with a reason. Final until an operator acts or a late success shows in the log.
    case dead

    /// The states that a delivery may move to from this one. A success in the log settles a delivery from any state.
    package var next: Set<DeliveryState> {
        switch self {
        case .scheduled: [.attempting, .delivered, .dead]
        case .attempting: [.awaiting, .scheduled, .delivered, .dead]
        case .awaiting: [.delivered, .scheduled, .dead]
        case .delivered: [.scheduled, .dead]
        case .dead: [.scheduled, .delivered]
        }
    }

    /// Whether the delivery may still be retried without an operator.
    package var isOpen: Bool {
        self != .delivered && self != .dead
    }
}

/// Why a delivery was given up.
package enum DeadReason: String, SQLWord, Sendable, CaseIterable, Codable {
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
    /// The provider answered its retries with 5xx five times in a row while it accepted others.
    case poison
}
