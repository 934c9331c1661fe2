/// An operator's retry of a delivery, beside its schedule: it uses no attempt, and when it comes to nothing the schedule holds
/// again as it was.
package struct ManualRetry: Sendable, Equatable {
    /// What the delivery waits for but for this retry.
    package enum Kept: Sendable, Equatable {
        case attempt(at: Timestamp)
        case dead(DeadReason)
    }

    package let asked: Timestamp
    package let kept: Kept

    package init(asked: Timestamp, kept: Kept) {
        self.asked = asked
        self.kept = kept
    }

    /// Back to the schedule as it was.
    var undone: Transition {
        switch kept {
        case .attempt(let time): .schedule(at: time, usesAttempt: false)
        case .dead(let reason): .die(reason, usesAttempt: false)
        }
    }

    var keptAttempt: Timestamp? {
        if case .attempt(let time) = kept { time } else { nil }
    }

    var keptDeadReason: DeadReason? {
        if case .dead(let reason) = kept { reason } else { nil }
    }
}
