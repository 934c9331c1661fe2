/// What `operator_action` notes that a person did: to a delivery, or to an endpoint as a whole.
package enum NotedAction: String, SQLWord, Sendable, CaseIterable {
    case retry, discard, requeue
    /// To an endpoint.
    case pause, resume
}

/// What a person does to a delivery by hand. Each leaves a row that says who, when and why.
package enum OperatorAction: String, Sendable, CaseIterable {
    /// One retry now, beside the schedule: uses no attempt, passes every hold but an operator's own.
    case retry
    /// Gives the delivery up; a late success in the log still settles it.
    case discard
    /// Brings a dead delivery back with all its attempts, due at once.
    case requeue

    /// The word under which it is noted.
    var noted: NotedAction {
        switch self {
        case .retry: .retry
        case .discard: .discard
        case .requeue: .requeue
        }
    }

    /// The states in which the action may find a delivery.
    package var states: [DeliveryState] {
        switch self {
        case .retry: [.scheduled, .dead]
        case .discard: [.scheduled]
        case .requeue: [.dead]
        }
    }

    /// Why an action cannot be done to a delivery: the cause, and what can be done instead.
    package enum Refusal: String, Sendable, CaseIterable {
        case underWay = "its call is under way or awaits the log: ask again when the log has settled it"
        case delivered = "it is delivered already"
        case dead = "it is dead already"
        case waiting = "it is scheduled, and only dead deliveries are requeued; `retry` sends it now"
        case asked = "an operator's retry of it is asked for already"
        case noBody = "its body is no longer stored, so there is nothing to send"
        case paused = "its endpoint is paused by an operator: resume it first"
        case notConfigured = "its endpoint is not in the configuration, so nobody would see the outcome"
    }

    /// What the decision needs to know beside the delivery.
    package struct Circumstances: Sendable, Equatable {
        package var hasBody: Bool
        package var isConfigured: Bool
        package var isPaused: Bool

        package init(hasBody: Bool, isConfigured: Bool, isPaused: Bool) {
            self.hasBody = hasBody
            self.isConfigured = isConfigured
            self.isPaused = isPaused
        }
    }

    /// Decides whether the action may be done.
    ///
    /// - Parameters:
    ///   - deadReason: why the delivery is dead; nil while it is not.
    ///   - ignoresLog: whether a retry is sent although its log cannot be read. It may be said of one that is asked
    ///     for.
    ///   - time: when the retry begins, or when the new cycle is due.
    func decide(
        on delivery: Delivery, _ circumstances: Circumstances, deadReason: DeadReason?, ignoresLog: Bool,
        at now: Timestamp, dueAt time: Timestamp
    ) -> Result<Transition, Refused> {
        switch (self, delivery.state) {
        case (_, .attempting), (_, .awaiting): return .failure(Refused(.underWay))
        case (_, .delivered): return .failure(Refused(.delivered))
        case (.discard, .dead): return .failure(Refused(.dead))
        case (.requeue, .scheduled): return .failure(Refused(.waiting))
        case (.discard, .scheduled): return .success(.die(.discarded, usesAttempt: false))
        case (.requeue, .dead), (.retry, .scheduled), (.retry, .dead): break
        }
        guard circumstances.hasBody else { return .failure(Refused(.noBody)) }
        guard self == .retry else { return .success(.schedule(at: time, usesAttempt: false)) }
        let manual = delivery.manual
        guard manual.map({ ignoresLog && !$0.ignoresLog }) ?? true else { return .failure(Refused(.asked)) }
        guard circumstances.isConfigured else { return .failure(Refused(.notConfigured)) }
        guard !circumstances.isPaused else { return .failure(Refused(.paused)) }
        let kept: ManualRetry.Kept =
            switch (delivery.nextAttempt, deadReason) {
            case (let next?, _): .attempt(at: next)
            case (nil, let reason): .dead(reason ?? .attempts)
            }
        return .success(
            .retry(
                ManualRetry(asked: manual?.asked ?? now, kept: manual?.kept ?? kept, ignoresLog: ignoresLog), at: time))
    }

    /// A refusal as an error, so that it can stand in a `Result`.
    struct Refused: Error, Equatable {
        let refusal: Refusal

        init(_ refusal: Refusal) {
            self.refusal = refusal
        }
    }
}
