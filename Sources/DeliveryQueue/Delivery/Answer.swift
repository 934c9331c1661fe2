/// The kind of the provider's answer to a retry call. `AnswerTable` has one row for each kind that says what follows.
package enum Answer: String, SQLWord, Sendable, CaseIterable {
    case accepted
    case uncertain
    case throttled
    case unavailable
    case unreachable
    case unauthorized
    case forbidden
    /// 403 to a call whose credential reads logs: something refuses this delivery, such as a firewall that reads its
    /// body.
    case deliveryForbidden = "delivery_forbidden"
    case notFound = "not_found"
    case rejected
    case redirected
    /// The provider, or a proxy before it, refuses the call itself, whatever delivery it names: its method, its
    /// headers, its price.
    case clientRefused = "client_refused"
    /// The provider wants the body in the other form: as text where it got JSON, or the other way round.
    case bodyForm = "body_form"
    /// The call's address has a slash at its end from now on; the next call goes there.
    case moved
    case serverError = "server_error"
    /// The call was never sent: until it could be, the reading of its log had become too old.
    case late

    /// The word that an attempt carries instead of an answer when its process died during the call.
    package static let interrupted = "interrupted"
}

/// Everything that follows from one kind of answer. The gate of all calls and the transaction that records a call read
/// these rows; a test compares `docs/architecture.md`, "What each answer leads to". Nothing else judges an answer.
package struct AnswerRow: Sendable, Equatable {
    /// Whether the provider executed the retry.
    package enum Execution: Sendable, Equatable {
        case yes, maybe, no
        /// The call was held back at the last moment, so that the provider knows nothing of it.
        case notSent
    }

    /// What the answer says of the provider as a whole.
    package enum Gate: Sendable, Equatable {
        /// The provider accepts calls: the call rate rises again.
        case recovers
        /// The provider works; the answer is about this call only.
        case staysOpen
        /// One such answer may be the delivery's own fault; many in a row are an outage.
        case countsBadAnswer
        /// The provider asks for a pause: all calls wait, and the call rate is halved.
        case pausesThrottled, pausesUnavailable
        /// The provider cannot be reached: an outage begins.
        case opensOutage
        /// The provider refuses our credential: all calls wait until it works.
        case refusesCredential
        /// The provider was not asked: nothing is learned, and the call's place is free again.
        case unused
    }

    /// When the same attempt is made again.
    package enum Wait: Sendable, Equatable {
        /// The gate's pause after this answer.
        case gatesPause
        case fixed(Duration)
    }

    /// What happens to the delivery.
    package enum Effect: Sendable, Equatable {
        /// The delivery awaits the log. With `confirm.by: answer` an accepted call is proof by itself.
        case awaits
        /// As `awaits`, but the delivery is dead as poison after `limit` such answers in a row while others of its
        /// endpoint pass.
        case awaitsUnlessPoison(limit: Int)
        /// The same attempt is made again after the wait; none is used.
        case again(Wait)
        /// The same attempt is made once more; after the second such answer the delivery is dead as rejected.
        case onceMore(Wait)
        /// The same attempt is made again after the wait. After a second such answer the delivery is dead as rejected,
        /// if another call was taken on with the same credential since the first.
        case onceMoreIfOthersPass(Wait)
        /// The delivery is dead as rejected.
        case dies
    }

    /// What happens to the endpoint.
    package enum Endpoint: Sendable, Equatable {
        case none
        /// Holds that an answer to a call has begun end.
        case endsHolds
        /// It is held at once; one call is tried after the pause.
        case held(HoldReason, pause: Duration)
        /// It is held after this many different deliveries in a row got this answer.
        case heldAfter(Int, HoldReason, pause: Duration)
    }

    /// Which streak of a delivery's answers this one counts in.
    package enum Streak: Sendable, Equatable {
        case none
        /// Ends all streaks.
        case ends
        case serverErrors
        case notFound
        case forbidden
    }

    /// How the attempt ends by the answer alone; nil: the log's entry about the call, or its silence, ends it.
    ///
    /// - Parameter isDead: whether the delivery died of the answer. The attempt is used then.
    package func attemptEnd(isDead: Bool) -> AttemptEnd? {
        if isDead { return .refused }
        return switch execution {
        case .yes, .maybe: nil
        case .no, .notSent: .notExecuted
        }
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
