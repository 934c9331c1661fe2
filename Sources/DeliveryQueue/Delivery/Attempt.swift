/// Why a retry call is made.
package enum AttemptKind: String, SQLWord, Sendable, CaseIterable {
    /// The delivery's policy says so.
    case scheduled
    /// An operator asked for it: it uses no attempt.
    case manual
}

/// What became of a retry call in the end.
package enum AttemptEnd: String, SQLWord, Sendable, CaseIterable {
    case delivered
    /// It was executed, and the receiver did not take the delivery.
    case failed
    /// Nothing told what became of it in time; it is followed by a possible repeat.
    case unconfirmed
    /// The provider surely did not carry it out.
    case notExecuted = "not_executed"
    /// The provider refused it for good, and the delivery is dead.
    case refused
}

/// What came of the retry call of a claimed delivery: the answer, and who gave it when.
package struct CallResult: Sendable, Equatable {
    package let deliveryID: Int64
    package let leaseToken: Int64
    package let answer: Answer
    /// How long the gate puts calls off since this answer; zero where it does not.
    package let pause: Duration
    /// nil when no answer came.
    package let status: Int?
    /// The task id that the answer names for the retry, as text.
    package let namedTaskID: String?
    /// Cause or start of the answer's text for on-call; may hold personal data, so it is stored and never logged.
    package let detail: String?
    package let duration: Duration
    package let answered: Timestamp

    package init(
        deliveryID: Int64, leaseToken: Int64, answer: Answer, pause: Duration = .zero, status: Int? = nil,
        namedTaskID: String? = nil, detail: String? = nil, duration: Duration, answered: Timestamp
    ) {
        self.deliveryID = deliveryID
        self.leaseToken = leaseToken
        self.answer = answer
        self.pause = pause
        self.status = status
        self.namedTaskID = namedTaskID
        self.detail = detail
        self.duration = duration
        self.answered = answered
    }
}
