/// Why a retry call is made.
package enum AttemptKind: String, SQLWord, Sendable, CaseIterable {
    /// The delivery's policy planned it.
    case scheduled
    /// An operator asked for it. It uses no attempt of the policy.
    case manual
}

/// How a retry call ended, once that is known.
package enum AttemptEnd: String, SQLWord, Sendable, CaseIterable {
    case delivered
    /// It was executed, and the receiver did not take the delivery.
    case failed
    /// Nothing showed the outcome in time. The call that follows may be a duplicate.
    case unconfirmed
    /// The provider certainly did not execute it.
    case notExecuted = "not_executed"
    /// The provider refused it for good, and the delivery is dead.
    case refused
}
