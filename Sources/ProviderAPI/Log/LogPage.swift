/// One entry of the provider's delivery log that could be understood.
package struct LogEntry: Sendable, Equatable {
    /// How the delivery ended, in the provider's word.
    package enum Outcome: Sendable, CaseIterable {
        case succeeded
        case failed
        /// The provider is still trying; neither success nor failure.
        case inProgress
        /// An outcome field is there and null, as Django's `status_code` of a refused connection, and nothing else
        /// tells. Whoever reads it again later can tell whether the provider is still at it.
        case unsaid
    }

    package var taskID: JSONID
    /// Always present on a failure, and where the outcome is unsaid.
    package var eventType: String?
    /// nil when absent or null.
    package var customerID: JSONID?
    /// nil when absent or null; the entry then belongs to the endpoint whose log was read.
    package var webhookID: JSONID?
    /// The payload's JSON value, byte for byte, `null` included. Always present on a failure, and where the outcome is
    /// unsaid. nil when absent, and on other entries also when it is above the size limit.
    package var body: [UInt8]?
    package var outcome: Outcome
    /// The receiver's HTTP status; nil when the log does not give it as a number.
    package var statusCode: Int?
    /// Milliseconds since 1970 UTC, from the first readable time field; nil without one.
    package var loggedAt: Int64?
    /// Milliseconds since 1970 UTC, the latest of all time fields; nil without one.
    package var changedAt: Int64?
    /// At most 500 characters; nil without an error text.
    package var errorText: String?
}

/// One entry of the log that could not be understood. It is kept, so that nothing is lost.
package struct UnreadableEntry: Sendable, Equatable {
    /// A bounded set of reasons, fit for counting.
    package enum Reason: String, Sendable, CaseIterable {
        case notAnObject = "not_an_object"
        case tooDeep = "too_deep"
        case badJSON = "bad_json"
        /// An id or the event type.
        case tooLong = "too_long"
        case noTaskID = "no_task_id"
        case noOutcome = "no_outcome"
        case unknownOutcome = "unknown_outcome"
        case badTime = "bad_time"
        /// Failures only, like the reasons below, because only failures are sent again.
        case noBody = "no_body"
        case bodyTooLarge = "body_too_large"
        case noEventType = "no_event_type"
        case badIdentifier = "bad_identifier"
    }

    package var reason: Reason
    /// A short text that names the fields, and of values only a word or a time that was found. Never holds a body.
    package var detail: String
    /// The entry's bytes in the page; only their start when they are too many to keep.
    package var raw: [UInt8]
    /// How many bytes the entry has in the page.
    package var length: Int
    /// What stays the same when the entry is read again: its task id and time or, without an id, its text.
    package var identity: [UInt8]
    /// Milliseconds since 1970 UTC; nil when no time could be read.
    package var loggedAt: Int64?

    /// - Parameters:
    ///   - length: the number of bytes in the page; nil when `raw` has them all.
    ///   - taskID: nil when it has none.
    package init(
        reason: Reason, detail: String, raw: [UInt8], length: Int? = nil, taskID: String? = nil, loggedAt: Int64? = nil
    ) {
        self.reason = reason
        self.detail = detail
        self.raw = raw
        self.length = length ?? raw.count
        self.loggedAt = loggedAt
        identity = taskID.map { Array("id \($0) at \(loggedAt ?? 0)".utf8) } ?? SignedAddress.cut(from: raw)
    }
}

/// One page of an endpoint's delivery log.
package struct LogPage: Sendable, Equatable {
    package enum Item: Sendable, Equatable {
        case entry(LogEntry)
        case unreadable(UnreadableEntry)
    }

    /// The entries in the page's order, which may be newest first, oldest first or neither.
    package var items: Items
    /// nil on the last page, and where the link cannot be followed; see ``nextFault``.
    package var next: PageLink?
    /// What the link to the next page has wrong although it can be followed; nil when nothing.
    package var nextCorrection: LinkCorrection?
    /// There is a next page, but its link cannot be followed: what follows this page stays unread. To be thrown when
    /// the entries are stored. nil on the last page and where ``next`` leads on.
    package var nextFault: ProviderError?
    /// The provider's clock in milliseconds since 1970 UTC, from the `Date` header; nil without a readable one.
    package var serverTime: Int64?
    /// The number of the grant with which it was read, see `ProviderSession`; nil: it was not read from the provider.
    package var grant: Int?
    /// How many entries the whole log has; nil when the answer does not say.
    package var count: Int?
}
