/// An operator's retry of a delivery, beside its schedule. It uses no attempt; when it fails, the schedule goes on as
/// it was.
package struct ManualRetry: Sendable, Equatable {
    /// What applies to the delivery again when this retry fails.
    package enum Kept: Sendable, Equatable {
        case attempt(at: Timestamp)
        case dead(DeadReason)
    }

    package let asked: Timestamp
    package let kept: Kept
    /// Whether it is sent although its log is not read, and may show that the delivery has arrived.
    package let ignoresLog: Bool

    package init(asked: Timestamp, kept: Kept, ignoresLog: Bool = false) {
        self.asked = asked
        self.kept = kept
        self.ignoresLog = ignoresLog
    }

    /// The transition back to the schedule as it was.
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
