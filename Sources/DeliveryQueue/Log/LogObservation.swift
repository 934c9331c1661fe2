/// What an entry of the provider's log says of its delivery.
package enum LogOutcome: String, SQLWord, Sendable, CaseIterable {
    case succeeded
    case failed
    /// The provider is still trying.
    case inProgress = "in_progress"
}

/// What is odd about a body that is a JSON string, so that its receiver may not be able to read it.
package enum BodyOddness: String, SQLWord, Sendable {
    /// The string holds no JSON.
    case text
    /// The string looks like a Python value.
    case python
}

/// What one understood entry of the provider's log says, in the queue's own words.
package struct LogObservation: Sendable, Equatable {

    /// As text; `taskIDJSON` is the raw token.
    package var taskID: String
    package var taskIDJSON: String
    /// Always there on a failure; nil where another entry has none.
    package var eventType: String?
    package var customerID: String?
    package var customerIDJSON: String
    package var webhookID: String
    package var webhookIDJSON: String
    /// Whether the entry itself names a webhook; if not, `webhookID` is that of the endpoint whose log was read.
    package var namesWebhook: Bool
    /// The raw JSON value; always there on a failure.
    package var body: [UInt8]?
    /// nil: nothing is odd about the body.
    package var bodyOddness: BodyOddness?
    package var outcome: LogOutcome
    /// Whether the entry leaves its outcome empty. Then `outcome` is `inProgress`, and `judged` decides.
    package var isUnsaid: Bool
    package var httpStatus: Int?
    /// Provider time at which the entry was created; nil when the entry has no time.
    package var logged: Timestamp?
    /// Provider time of the entry's newest change; equals `logged` where rows are never updated in place.
    package var changed: Timestamp?
    /// Shortened by the decoder.
    package var error: String?

    package init(
        taskID: String, taskIDJSON: String, eventType: String?, customerID: String?, customerIDJSON: String,
        webhookID: String, webhookIDJSON: String, namesWebhook: Bool = true, body: [UInt8]?, outcome: LogOutcome,
        isUnsaid: Bool = false, httpStatus: Int? = nil, logged: Timestamp?, changed: Timestamp? = nil,
        error: String? = nil
    ) {
        self.taskID = taskID
        self.taskIDJSON = taskIDJSON
        self.eventType = eventType
        self.customerID = customerID
        self.customerIDJSON = customerIDJSON
        self.webhookID = webhookID
        self.webhookIDJSON = webhookIDJSON
        self.namesWebhook = namesWebhook
        self.body = body
        self.outcome = outcome
        self.isUnsaid = isUnsaid
        self.httpStatus = httpStatus
        self.logged = logged
        self.changed = changed ?? logged
        self.error = error
    }

    /// The entry with the outcome that it has by now. One that leaves its outcome empty has failed when it has not
    /// changed for
    /// `confirmWithin`; until then the provider is still at it.
    ///
    /// - Parameter found: when it was first read so; nil: now.
    func judged(foundFirst found: Timestamp?, rules: RetryRules, at now: Timestamp) -> LogObservation {
        guard isUnsaid, now - (changed ?? found ?? now) >= rules.confirmWithin else { return self }
        var judged = self
        judged.outcome = .failed
        return judged
    }

    /// Whether a failure is about the receiver and not about this one delivery. A receiver that answers with a 4xx
    /// status is up and refuses what it got. 408 and 429 are exceptions: they say that it cannot keep up.
    var blamesReceiver: Bool {
        guard let httpStatus, (400...499).contains(httpStatus) else { return true }
        return httpStatus == 408 || httpStatus == 429
    }
}

/// A log entry that the decoder could not understand.
package struct UnreadableObservation: Sendable, Equatable {
    package let reason: String
    package let detail: String
    /// The entry's bytes, or their start.
    package let raw: [UInt8]
    /// How many bytes the entry has.
    package let length: Int
    /// What stays the same when the entry is read again. It is kept once for each identity.
    package let identity: [UInt8]
    package let logged: Timestamp?

    /// - Parameters:
    ///   - length: nil when `raw` has all bytes of the entry.
    ///   - identity: nil when it is `raw`.
    package init(
        reason: String, detail: String, raw: [UInt8], length: Int? = nil, identity: [UInt8]? = nil, logged: Timestamp?
    ) {
        self.reason = reason
        self.detail = detail
        self.raw = raw
        self.length = length ?? raw.count
        self.identity = identity ?? raw
        self.logged = logged
    }
}

/// One row of a page.
package enum ObservedEntry: Sendable, Equatable {
    case understood(LogObservation)
    case unreadable(UnreadableObservation)
}

/// Why a page of a log is read. What matters most comes first.
package enum PagePurpose: String, Sendable, CaseIterable {
    /// A delivery is to be called and waits for it.
    case look
    /// The outcome of a call is awaited.
    case confirm
    /// To see what is new.
    case new
    /// To see old rows again: those about which a decision waits, and all within the overlap.
    case again
    /// To read what an earlier reading left out.
    case gap
}

/// One page of an endpoint's log and how far the scan that read it has come; stored in one transaction.
package struct ObservedPage: Sendable {
    package let endpointID: String
    /// The rows, made while they are stored, so that they need not be in memory together.
    package let entries: any Sequence<ObservedEntry> & Sendable
    /// How many unreadable entries of the page are not among them, because there are so many.
    package let leftOut: Int
    package let progress: ScanProgress

    package init(
        endpointID: String, entries: any Sequence<ObservedEntry> & Sendable, leftOut: Int, progress: ScanProgress
    ) {
        self.endpointID = endpointID
        self.entries = entries
        self.leftOut = leftOut
        self.progress = progress
    }

    package init(
        endpointID: String, observations: [LogObservation], unreadable: [UnreadableObservation], progress: ScanProgress
    ) {
        let entries = observations.map(ObservedEntry.understood) + unreadable.map(ObservedEntry.unreadable)
        self.init(endpointID: endpointID, entries: entries, leftOut: 0, progress: progress)
    }
}
