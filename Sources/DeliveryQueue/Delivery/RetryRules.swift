/// Decides what happens to a delivery next: no I/O, no clock, no hidden state. The store carries the decisions out.
package struct RetryRules: Sendable, Equatable {
    /// How a retry is confirmed.
    package enum Confirmation: String, Sendable, CaseIterable {
        /// Only the provider's log proves an arrival.
        case log
        /// A 2xx of the retry call is taken as proof, for providers whose log never shows retries.
        case answer
    }

    package var policies: PolicyBook
    package var confirmation: Confirmation
    /// How long the log may stay silent about a call before the call counts as unconfirmed.
    package var confirmWithin: Duration
    package var circuit: CircuitSettings

    package init(
        policies: PolicyBook = PolicyBook(), confirmation: Confirmation = .log,
        confirmWithin: Duration = .seconds(600), circuit: CircuitSettings = .standard
    ) {
        self.policies = policies
        self.confirmation = confirmation
        self.confirmWithin = confirmWithin
        self.circuit = circuit
    }

    /// A log time may lie this much before our own call and still belong to it: provider times may be whole seconds,
    /// and two synchronised clocks differ a little.
    package static let clockTolerance = Duration.seconds(10)
    /// An endpoint is held after this many different deliveries in a row that the provider accepted and the log did not
    /// show.
    package static let silentLimit = 3
    /// After this many outcomes in a row under the deliveries' own task ids, an endpoint's log counts as showing all
    /// so.
    package static let ownNamesLimit = 5

    /// Plans the first attempt of a failure that was just found in the log. The wait counts from the failure.
    package func discovered(_ delivery: Delivery) -> Transition {
        policy(for: delivery).next(
            for: delivery, used: delivery.attemptsUsed, after: delivery.lastFailed, usesAttempt: false)
    }

    /// Whether a 2xx of the retry call is proof of the arrival.
    package func answerProves(_ answer: Answer) -> Bool {
        confirmation == .answer && AnswerTable.row(answer).execution == .yes
    }

    /// Plans the next attempt after the provider's own failed while the delivery waited. The wait counts from that
    /// failure; none is used. It happens once before each call of ours.
    package func providerFailed(_ delivery: Delivery, at failed: Timestamp) -> Transition {
        policy(for: delivery).next(for: delivery, used: delivery.attemptsUsed, after: failed, usesAttempt: false)
    }

    /// Decides after our retry failed or stayed unconfirmed. It uses one attempt, except for an operator's retry, and
    /// for a trial while the age clock of its endpoint stands still.
    package func retryFailed(_ delivery: Delivery, at failed: Timestamp) -> Transition {
        policy(for: delivery).retryFailed(delivery, at: failed)
    }

    /// Decides after our call was lost in an outage of the provider. The same attempt waits as long again; none is
    /// used.
    package func retryLost(_ delivery: Delivery, at now: Timestamp) -> Transition {
        if let manual = delivery.manual { return manual.undone }
        let next = now + policy(for: delivery).wait(beforeNextAttemptOf: delivery)
        return delivery.isTrial ? .standBack(until: next) : .schedule(at: next, usesAttempt: false)
    }

    private func policy(for delivery: Delivery) -> RetryPolicy {
        policies.policy(for: delivery.eventType).policy
    }

    /// Decides what an answer does to its delivery, by `AnswerTable`.
    ///
    /// - Parameters:
    ///   - pause: how long the gate pauses all calls after this answer.
    ///   - othersPass: whether the provider took on other calls since this delivery's first such answer in a row.
    /// - Returns: the delivery's transition, and how the attempt ended where the answer alone tells; nil: the log has
    ///   to tell.
    package func answered(
        _ answer: Answer, for delivery: Delivery, pause: Duration, at now: Timestamp, othersPass: Bool
    ) -> (transition: Transition, end: AttemptEnd?) {
        let row = AnswerTable.row(answer)
        let transition = transition(by: row.effect, for: delivery, pause: pause, at: now, othersPass: othersPass)
        return (transition, row.attemptEnd(isDead: transition.target == .dead))
    }

    private func transition(
        by effect: AnswerRow.Effect, for delivery: Delivery, pause: Duration, at now: Timestamp, othersPass: Bool
    ) -> Transition {
        let usesAttempt = delivery.manual == nil
        switch effect {
        case .awaitsUnlessPoison(let limit) where othersPass && delivery.serverErrors + 1 >= limit:
            return .die(.poison, usesAttempt: usesAttempt)
        case .awaits, .awaitsUnlessPoison:
            return .await(until: now + confirmWithin)
        case .onceMore where delivery.notFoundAnswers > 0, .dies,
            .onceMoreIfOthersPass where delivery.forbiddenSince != nil && othersPass:
            return .die(.rejected, usesAttempt: usesAttempt)
        case .again(let wait), .onceMore(let wait), .onceMoreIfOthersPass(let wait):
            return again(delivery, at: now + wait.length(pause: pause))
        }
    }

    /// The call was certainly not executed: the same attempt, or the operator's retry, is made again.
    private func again(_ delivery: Delivery, at time: Timestamp) -> Transition {
        delivery.manual.map { .retry($0, at: time) } ?? .schedule(at: time, usesAttempt: false)
    }
}

extension RetryPolicy {
    /// Decides after a retry of its event types failed or stayed unconfirmed; see `RetryRules.retryFailed`.
    func retryFailed(_ delivery: Delivery, at failed: Timestamp) -> Transition {
        if let manual = delivery.manual { return manual.undone }
        if delivery.isTrial, delivery.held.since != nil {
            return .standBack(until: failed + wait(beforeNextAttemptOf: delivery))
        }
        return next(for: delivery, used: delivery.attemptsUsed + 1, after: failed, usesAttempt: true)
    }

    /// The wait before the same attempt is made again.
    fileprivate func wait(beforeNextAttemptOf delivery: Delivery) -> Duration {
        delay(before: min(delivery.attemptsUsed + 1, maxAttempts), of: delivery) ?? .zero
    }

    /// Plans the next attempt, or ends the delivery at the first limit reached. Age is judged only here, when a failure
    /// is recorded: a delivery that is already due keeps its attempt, however late an outage makes it.
    fileprivate func next(
        for delivery: Delivery, used: Int, after failed: Timestamp, usesAttempt: Bool
    ) -> Transition {
        guard let delay = delay(before: used + 1, of: delivery) else {
            return .die(.attempts, usesAttempt: usesAttempt)
        }
        let at = failed + delay
        let age = at - delivery.cycleStarted - delivery.held.total(at: failed)
        guard age <= maxAge else { return .die(.age, usesAttempt: usesAttempt) }
        return .schedule(at: at, usesAttempt: usesAttempt)
    }

    /// The wait before an attempt, with its jitter; nil: there is no such attempt.
    private func delay(before number: Int, of delivery: Delivery) -> Duration? {
        var jitter = Jitter(
            endpointID: delivery.endpointID, taskID: delivery.taskID, cycle: delivery.cycle, attempt: number)
        return delay(beforeAttempt: number, using: &jitter)
    }
}

extension AnswerRow.Wait {
    /// The wait's length, where `pause` is the gate's.
    fileprivate func length(pause: Duration) -> Duration {
        switch self {
        case .gatesPause: pause
        case .fixed(let length): length
        }
    }
}
