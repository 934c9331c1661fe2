/// A change of one delivery. The rules decide it; the store carries it out in one transaction.
package enum Transition: Sendable, Equatable {
    /// Claimed: the call may begin, and must be over when the lease ends. `isTrial`: it shows whether the endpoint's
    /// receiver is back.
    case attempt(leaseUntil: Timestamp, isTrial: Bool = false)
    /// The call is over; the log has until then to show the outcome.
    case await(until: Timestamp)
    /// Waits for an operator's retry, which is due then; the schedule is kept beside it.
    case retry(ManualRetry, at: Timestamp)
    /// Waits for its next attempt. `usesAttempt` tells whether the one before counts against the policy.
    case schedule(at: Timestamp, usesAttempt: Bool)
    /// A trial failed: the delivery goes back to its place in line and uses no attempt. `until` is its own time for the
    /// attempt.
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

    /// The same transition with no attempt before `earliest`; nil changes nothing.
    func notBefore(_ earliest: Timestamp?) -> Transition {
        guard let earliest, case .schedule(let at, let usesAttempt) = self else { return self }
        return .schedule(at: max(at, earliest), usesAttempt: usesAttempt)
    }
}
