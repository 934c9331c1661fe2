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
    /// When it is due; set exactly while scheduled. What was held until its endpoint recovered is due since then.
    package var nextAttempt: Timestamp?
    /// Raised by every claim; a result that carries an older one is late and changes nothing.
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

extension Delivery {
    /// A failure that was just found, before it is stored: it has no number yet. What its endpoint was held before is not its
    /// own, so its age clock has stood still for no time.
    init(new entry: LogObservation, eventType: String, of endpointID: String, failed: Timestamp) {
        self.init(
            id: 0, endpointID: endpointID, taskID: entry.taskID, eventType: eventType, customerID: entry.customerID,
            webhookID: entry.webhookID, state: .scheduled, cycle: 1, cycleStarted: failed, attemptsUsed: 0,
            firstFailed: failed, lastFailed: failed, nextAttempt: nil, leaseToken: 0, called: nil, confirmBy: nil,
            serverErrors: 0, serverErrorsSince: nil, notFoundAnswers: 0, manual: nil)
    }

    /// Whether a log time belongs to the open call and not to what was before it. An entry without a time does: it was not
    /// there when the call began, or it would be known.
    func isOfOpenCall(_ changed: Timestamp?) -> Bool {
        guard let changed, let called else { return true }
        return changed + RetryRules.clockTolerance >= called
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
