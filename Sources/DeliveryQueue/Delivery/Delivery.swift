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
    /// How long its endpoint was held in this cycle; that time does not count towards its age.
    package var held = HeldTime()
    package var attemptsUsed: Int
    package var firstFailed: Timestamp
    package var lastFailed: Timestamp
    /// When it is due; set exactly while scheduled. After a hold by the circuit this is when its endpoint recovered.
    package var nextAttempt: Timestamp?
    /// Every claim raises it; a result that carries an older one is late and does not move the delivery.
    package var leaseToken: Int64
    /// When the open call was claimed; set exactly while attempting or awaiting.
    package var called: Timestamp?
    /// Until when the log may show the outcome; set exactly while awaiting.
    package var confirmBy: Timestamp?
    /// 5xx answers to its retries in a row, and since when.
    package var serverErrors: Int
    package var serverErrorsSince: Timestamp?
    package var notFoundAnswers: Int
    /// Since when its calls are forbidden, in a row; nil: the last one was not.
    package var forbiddenSince: Timestamp?
    /// Whether an attempt of the provider's own has put off the next call. It does so once before each call of ours.
    var isPostponed = false
    /// An operator's retry that is asked for or under way; nil: none.
    package var manual: ManualRetry?
    /// Whether the open call is a trial, which shows whether the receiver of its endpoint is back.
    package var isTrial = false
}

extension Delivery {
    /// Makes the delivery of a failure that was just found and is not stored yet. Earlier holds of its endpoint do not
    /// count.
    init(new entry: LogObservation, eventType: String, of endpointID: String, failed: Timestamp) {
        self.init(
            id: 0, endpointID: endpointID, taskID: entry.taskID, eventType: eventType, customerID: entry.customerID,
            webhookID: entry.webhookID, state: .scheduled, cycle: 1, cycleStarted: failed, attemptsUsed: 0,
            firstFailed: failed, lastFailed: failed, nextAttempt: nil, leaseToken: 0, called: nil, confirmBy: nil,
            serverErrors: 0, serverErrorsSince: nil, notFoundAnswers: 0, manual: nil)
    }

    /// Whether an entry of the log belongs to the open call and not to an earlier one.
    ///
    /// - Parameter changed: the entry's newest time; nil: it has none, and would be known if it were older than the
    ///   call.
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
    /// Whether it is sent whatever its log may show by now: an operator said so.
    package var ignoresLog = false
    /// Raw JSON tokens, so that ids keep their type: `"12"` or `12`; `null` for no customer.
    package let taskIDJSON: String
    package let customerIDJSON: String
    package let webhookIDJSON: String
    /// The body as the log had it, byte for byte.
    package let body: [UInt8]
}
