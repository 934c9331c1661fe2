/// The result of one retry call of a claimed delivery: the answer, and when it came.
package struct CallResult: Sendable, Equatable {
    package let deliveryID: Int64
    package let leaseToken: Int64
    package let answer: Answer
    /// How long the gate pauses all calls after this answer; zero: it does not.
    package let pause: Duration
    /// When a call was last taken on with the credential of this one; nil: none was.
    package let lastTakenOn: Timestamp?
    /// The HTTP status; nil when no answer came.
    package let status: Int?
    /// The task id that the answer names for the retry, as text; nil when it names none.
    package let namedTaskID: String?
    /// For on-call: why no answer came, or how its text begins. It may hold personal data, so it is stored and never
    /// logged.
    package let detail: String?
    package let duration: Duration
    package let answered: Timestamp

    package init(
        deliveryID: Int64, leaseToken: Int64, answer: Answer, pause: Duration = .zero, lastTakenOn: Timestamp? = nil,
        status: Int? = nil, namedTaskID: String? = nil, detail: String? = nil, duration: Duration, answered: Timestamp
    ) {
        self.deliveryID = deliveryID
        self.leaseToken = leaseToken
        self.answer = answer
        self.pause = pause
        self.lastTakenOn = lastTakenOn
        self.status = status
        self.namedTaskID = namedTaskID
        self.detail = detail
        self.duration = duration
        self.answered = answered
    }
}
