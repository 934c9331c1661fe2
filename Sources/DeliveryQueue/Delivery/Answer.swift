/// The kind of the provider's answer to a retry call. What follows from each kind stands in `AnswerTable`, one row each.
package enum Answer: String, SQLWord, Sendable, CaseIterable {
    case accepted
    case uncertain
    case throttled
    case unavailable
    case unreachable
    case unauthorized
    case forbidden
    case notFound = "not_found"
    case rejected
    case redirected
    case serverError = "server_error"

    /// What stands for an answer on an attempt whose process died during the call.
    package static let interrupted = "interrupted"
}

/// Everything that follows from one kind of answer. The gate of all calls, the transaction that records the call and the table in
/// `docs/architecture.md` read these rows; nothing else judges an answer.
package struct AnswerRow: Sendable, Equatable {
    /// Whether the provider carried the retry out.
    package enum Execution: Sendable, Equatable {
        case yes, maybe, no
    }

    /// What the answer says of the provider as a whole.
    package enum Gate: Sendable, Equatable {
        /// It takes calls on: the rate recovers.
        case recovers
        /// It is there; the answer is about this call only.
        case staysOpen
        /// One may be the delivery's own fault, many in a row are an outage.
        case countsBadAnswer
        /// It asks to be left alone: all calls pause and the rate is halved.
        case pausesThrottled, pausesUnavailable
        /// Nothing can reach it.
        case opensOutage
        /// It refuses our credential.
        case refusesCredential
    }

    /// When the same attempt is made again.
    package enum Wait: Sendable, Equatable {
        /// As long as the gate puts calls off.
        case gatesPause
        case fixed(Duration)
    }

    /// What becomes of the delivery.
    package enum Effect: Sendable, Equatable {
        /// The log decides, or the answer itself with `confirm.by: answer`.
        case awaits
        /// As `awaits`; dead as poison at so many of these answers in a row while others of its endpoint pass.
        case awaitsUnlessPoison(limit: Int)
        /// The same attempt again; none is used.
        case again(Wait)
        /// The same attempt once more; at the second such answer dead as rejected.
        case onceMore(Wait)
        /// Dead as rejected.
        case dies
    }

    /// What becomes of the endpoint's deliveries.
    package enum Endpoint: Sendable, Equatable {
        case none
        /// Holds for `rejected` and `redirected` end.
        case endsHolds
        /// Held at once, with one more try after the pause.
        case held(HoldReason, pause: Duration)
        /// Held when so many different deliveries in a row got this answer.
        case heldAfter(Int, HoldReason, pause: Duration)
    }

    /// The row of answers of one delivery that this one counts in.
    package enum Streak: Sendable, Equatable {
        case none
        /// Ends both rows.
        case ends
        case serverErrors
        case notFound
    }

    package let execution: Execution
    package let gate: Gate
    package let effect: Effect
    package let endpoint: Endpoint
    package let streak: Streak

    init(_ execution: Execution, _ gate: Gate, _ effect: Effect, _ endpoint: Endpoint = .none, _ streak: Streak = .none)
    {
        self.execution = execution
        self.gate = gate
        self.effect = effect
        self.endpoint = endpoint
        self.streak = streak
    }
}
