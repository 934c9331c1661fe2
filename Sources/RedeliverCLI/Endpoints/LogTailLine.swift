import DeliveryQueue
import ProviderAPI

extension LogTail {
    /// One entry of the provider's log for people, without its body.
    struct Line: Sendable, Equatable {
        enum Outcome: String, Sendable, CaseIterable {
            case succeeded, failed
            case inProgress = "in_progress"
            /// The entry cannot be read; it may be a failure.
            case unreadable
        }

        /// Provider time of the entry's newest change; nil when it has none.
        var time: Timestamp?
        /// nil, here and below: the entry does not say it, or cannot be read.
        var taskID: String?
        var eventType: String?
        var customerID: String?
        var outcome: Outcome
        var httpStatus: Int?
        /// The error text of the log; for an unreadable entry what is wrong with it.
        var detail: String?

        /// A failure, or an unreadable entry, which may be one.
        var mayBeFailure: Bool { outcome == .failed || outcome == .unreadable }
    }
}

extension LogTail.Line {
    init(_ item: LogPage.Item) {
        switch item {
        case .entry(let entry):
            self.init(
                time: (entry.changedAt ?? entry.loggedAt).map(Timestamp.init(milliseconds:)),
                taskID: entry.taskID.text, eventType: entry.eventType, customerID: entry.customerID?.text,
                outcome: Outcome(entry.outcome), httpStatus: entry.statusCode, detail: entry.errorText)
        case .unreadable(let entry):
            self.init(
                time: entry.loggedAt.map(Timestamp.init(milliseconds:)), taskID: nil, outcome: .unreadable,
                detail: "\(entry.reason.rawValue): \(entry.detail)")
        }
    }
}

extension LogTail.Line.Outcome {
    init(_ outcome: LogEntry.Outcome) {
        switch outcome {
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .inProgress, .unsaid: self = .inProgress
        }
    }
}
