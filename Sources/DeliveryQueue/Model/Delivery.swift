/// One failed delivery in our care, as the rules see it: without its body.
package struct Delivery: Sendable, Equatable {
    /// The database's number for it, for people and commands; 0 until it is stored.
    package var id: Int64
    package let endpointID: String
    /// The provider's task id as text; unique within its endpoint.
    package let taskID: String
    package let eventType: String
    package let customerID: String?
    package let webhookID: String
    package var state: DeliveryState
    /// A requeue begins a new cycle with all its attempts.
    package var cycle: Int
    /// The age limit counts from here: the first failure, or the requeue.
    package var cycleStarted: Timestamp
    /// How long its endpoint was held in this cycle: that time is no part of its age.
    package var held = HeldTime()
    package var attemptsUsed: Int
    package var firstFailed: Timestamp
    package var lastFailed: Timestamp
    /// Set exactly while scheduled. What was held until its endpoint recovered is due since then.
    package var nextAttempt: Timestamp?
    /// Raised by every claim; an outcome that carries an older one is late and changes nothing.
    package var leaseToken: Int64
    /// The intent of the call whose outcome is open; set exactly while attempting or awaiting.
    package var called: Timestamp?
    /// Set exactly while awaiting.
    package var confirmBy: Timestamp?
    /// 5xx answers to its retries in a row, and since when.
    package var serverErrors: Int
    package var serverErrorsSince: Timestamp?
    package var notFoundAnswers: Int
    /// An operator's retry that is asked for or under way; nil: none.
    package var manual: ManualRetry?
    /// The call that is open is a trial: it tells whether the receiver of its endpoint is back.
    package var isTrial = false
}

/// An operator's retry of a delivery, beside its schedule: it uses no attempt, and when it comes to nothing the schedule
/// holds again as it was.
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

    /// Back to what was before.
    var undone: Transition {
        switch kept {
        case .attempt(let time): .schedule(at: time, usesAttempt: false)
        case .dead(let reason): .die(reason, usesAttempt: false)
        }
    }
}

/// A delivery that was claimed: everything that its retry call needs. Its intent is committed.
package struct ClaimedDelivery: Sendable {
    package let id: Int64
    package let endpointID: String
    package let leaseToken: Int64
    package let taskID: String
    package let eventType: String
    /// Raw JSON tokens, so that ids keep their type: `"12"` or `12`; `null` for no customer.
    package let taskIDJSON: String
    package let customerIDJSON: String
    package let webhookIDJSON: String
    /// The body as the log had it, byte for byte.
    package let body: [UInt8]
}

/// What came of the retry call of a claimed delivery, in the queue's own words.
package struct AttemptOutcome: Sendable, Equatable {
    /// What the provider's answer means for the delivery (DESIGN 5, the table of answers).
    package enum Meaning: Sendable, Equatable {
        /// The provider took it on.
        case accepted
        /// It may have been executed: 408, 409, a timeout or reset after sending.
        case uncertain
        /// 500, 502, 504 and the like: may have been executed; five in a row while others pass are poison.
        case serverError
        /// Surely not executed: 425, 429, 503, refused connection, DNS, 401, 403. Again after the pause.
        case notExecuted(pause: Duration)
        /// 404: once more in an hour, then final.
        case notFound
        /// 400, 410, 413, 415, 422: final.
        case rejected
        /// 3xx: surely not executed and a fault of configuration; the endpoint is held.
        case redirected
    }

    package let deliveryID: Int64
    package let leaseToken: Int64
    package let meaning: Meaning
    /// The answer's bounded name (`accepted`, `throttled`, …): stored, and a metric's label.
    package let answer: String
    package let status: Int?
    /// The task id that the answer names for the retry, as text.
    package let namedTaskID: String?
    /// Cause or start of the answer's text for on-call; may hold personal data, so it is stored and never logged.
    package let detail: String?
    package let duration: Duration
    package let answered: Timestamp

    package init(
        deliveryID: Int64, leaseToken: Int64, meaning: Meaning, answer: String, status: Int? = nil,
        namedTaskID: String? = nil, detail: String? = nil, duration: Duration, answered: Timestamp
    ) {
        self.deliveryID = deliveryID
        self.leaseToken = leaseToken
        self.meaning = meaning
        self.answer = answer
        self.status = status
        self.namedTaskID = namedTaskID
        self.detail = detail
        self.duration = duration
        self.answered = answered
    }
}
