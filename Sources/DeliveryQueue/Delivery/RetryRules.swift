/// What happens to a delivery next: pure decisions, no I/O, no clock, no hidden state. The store carries them out.
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
    /// How long the log may stay silent about a call before it counts as unconfirmed.
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

    /// A log time may lie this much before our own call and still belong to it: provider times may be whole seconds, and two
    /// synchronised clocks differ a little.
    package static let clockTolerance = Duration.seconds(10)
    /// So many calls in a row without a 2xx, over all deliveries, are an outage of the provider.
    package static let outageLimit = 5
    /// Different deliveries in a row, all taken on and none shown by the log, after which their endpoint is held.
    package static let silentLimit = 3
    /// Results of calls in a row under the deliveries' own task ids after which an endpoint's log is taken to show all so.
    package static let ownNamesLimit = 5

    /// The first attempt of a failure that was just found in the log: counted from the failure, and due at once when
    /// that time has passed.
    package func discovered(_ delivery: Delivery) -> Transition {
        next(for: delivery, used: delivery.attemptsUsed, after: delivery.lastFailed, usesAttempt: false)
    }

    /// Whether a 2xx of the retry call is proof of the arrival.
    package func answerProves(_ answer: Answer) -> Bool { confirmation == .answer && answer == .accepted }

    /// The provider's own attempt failed while the delivery waited: the next attempt counts from it, none is used.
    package func providerFailed(_ delivery: Delivery, at failed: Timestamp) -> Transition {
        next(for: delivery, used: delivery.attemptsUsed, after: failed, usesAttempt: false)
    }

    /// Our retry failed again, as the log shows, or stayed unconfirmed: one attempt is used, but for an operator's retry, and
    /// for a trial of an endpoint that is still held and not for too long: then its age clock stands still.
    package func retryFailed(_ delivery: Delivery, at failed: Timestamp) -> Transition {
        if let manual = delivery.manual { return manual.undone }
        if delivery.isTrial, delivery.held.since != nil {
            return .standBack(until: failed + wait(beforeNextAttemptOf: delivery))
        }
        return next(for: delivery, used: delivery.attemptsUsed + 1, after: failed, usesAttempt: true)
    }

    /// Our call got no 2xx, nothing came of it, and the provider took on no other since: an outage. It waits as before the
    /// same attempt again and uses none.
    package func retryLost(_ delivery: Delivery, at now: Timestamp) -> Transition {
        if let manual = delivery.manual { return manual.undone }
        let next = now + wait(beforeNextAttemptOf: delivery)
        return delivery.isTrial ? .standBack(until: next) : .schedule(at: next, usesAttempt: false)
    }

    /// The wait before the same attempt once more.
    private func wait(beforeNextAttemptOf delivery: Delivery) -> Duration {
        let policy = policies.policy(for: delivery.eventType).policy
        let number = min(delivery.attemptsUsed + 1, policy.maxAttempts)
        var jitter = Jitter(
            endpointID: delivery.endpointID, taskID: delivery.taskID, cycle: delivery.cycle, attempt: number)
        return policy.delay(beforeAttempt: number, using: &jitter) ?? .zero
    }

    /// What an answer does to its delivery, by `AnswerTable`.
    ///
    /// - Parameters:
    ///   - pause: how long the gate puts calls off since this answer.
    ///   - othersPass: whether the provider took on a retry of another delivery of the endpoint since this one's first 5xx in
    ///     a row.
    /// - Returns: the delivery's next state, and what the answer alone tells of the attempt; nil: the log has to tell.
    package func answered(
        _ answer: Answer, for delivery: Delivery, pause: Duration, at now: Timestamp, othersPass: Bool
    ) -> (transition: Transition, end: AttemptEnd?) {
        let usesAttempt = delivery.manual == nil
        switch AnswerTable.row(answer).effect {
        case .awaitsUnlessPoison(let limit) where othersPass && delivery.serverErrors + 1 >= limit:
            return (.die(.poison, usesAttempt: usesAttempt), .refused)
        case .awaits, .awaitsUnlessPoison:
            return (.await(until: now + confirmWithin), nil)
        case .onceMore where delivery.notFoundAnswers > 0:
            return (.die(.rejected, usesAttempt: usesAttempt), .refused)
        case .again(let wait), .onceMore(let wait):
            return (again(delivery, at: now + wait.length(pause: pause)), .notExecuted)
        case .dies:
            return (.die(.rejected, usesAttempt: usesAttempt), .refused)
        }
    }

    /// The call was surely not executed: the same attempt, or the operator's retry, once more.
    private func again(_ delivery: Delivery, at time: Timestamp) -> Transition {
        delivery.manual.map { .retry($0, at: time) } ?? .schedule(at: time, usesAttempt: false)
    }

    /// The first limit reached wins. Age is judged here only, when a failure is on record: a delivery that is already
    /// due keeps its attempt, however late an outage of ours or of the provider makes it.
    private func next(for delivery: Delivery, used: Int, after failed: Timestamp, usesAttempt: Bool) -> Transition {
        let policy = policies.policy(for: delivery.eventType).policy
        let number = used + 1
        var jitter = Jitter(
            endpointID: delivery.endpointID, taskID: delivery.taskID, cycle: delivery.cycle, attempt: number)
        guard let delay = policy.delay(beforeAttempt: number, using: &jitter) else {
            return .die(.attempts, usesAttempt: usesAttempt)
        }
        let at = failed + delay
        let age = at - delivery.cycleStarted - delivery.held.total(at: failed)
        guard age <= policy.maxAge else { return .die(.age, usesAttempt: usesAttempt) }
        return .schedule(at: at, usesAttempt: usesAttempt)
    }
}

extension AnswerRow.Wait {
    /// - Parameter pause: the gate's.
    fileprivate func length(pause: Duration) -> Duration {
        switch self {
        case .gatesPause: pause
        case .fixed(let length): length
        }
    }
}
