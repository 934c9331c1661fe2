import DeliveryQueue
import ProviderAPI

/// The provider's log in the queue's words.
extension LogObservation {
    /// - Parameter webhookID: what stands for the webhook id when the entry has none: the configured one or the
    ///   endpoint's id, as a JSON string.
    init(_ entry: LogEntry, defaultWebhookID webhookID: String) {
        self.init(
            taskID: entry.taskID.text, taskIDJSON: entry.taskID.json, eventType: entry.eventType,
            customerID: entry.customerID?.text, customerIDJSON: entry.customerID?.json ?? "null",
            webhookID: entry.webhookID?.text ?? webhookID,
            webhookIDJSON: entry.webhookID?.json ?? JSONID(string: webhookID).json,
            namesWebhook: entry.webhookID != nil, body: entry.body,

            outcome: LogOutcome(entry.outcome), isUnsaid: entry.outcome == .unsaid, httpStatus: entry.statusCode,
            logged: entry.loggedAt.map(Timestamp.init(milliseconds:)),
            changed: entry.changedAt.map(Timestamp.init(milliseconds:)), error: entry.errorText)
        if outcome != .succeeded { bodyOddness = body.flatMap(BodyForm.oddness).map(BodyOddness.init) }
    }
}

extension BodyOddness {
    fileprivate init(_ form: BodyForm) {
        switch form {
        case .text: self = .text
        case .python: self = .python
        }
    }
}

extension LogOutcome {
    fileprivate init(_ outcome: LogEntry.Outcome) {
        switch outcome {
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .inProgress, .unsaid: self = .inProgress
        }
    }
}

/// The rows of a page in the queue's words. Each is made when it is asked for, as the page's own.
struct ObservedEntries: Sequence, Sendable {
    let items: LogPage.Items
    let defaultWebhookID: String

    func makeIterator() -> AnyIterator<ObservedEntry> {
        var items = items.makeIterator()
        return AnyIterator {
            switch items.next() {
            case .entry(let entry)?: .understood(LogObservation(entry, defaultWebhookID: defaultWebhookID))
            case .unreadable(let entry)?: .unreadable(UnreadableObservation(entry))
            case nil: nil
            }
        }
    }
}

extension UnreadableObservation {
    init(_ entry: UnreadableEntry) {
        self.init(
            reason: entry.reason.rawValue, detail: entry.detail, raw: entry.raw, length: entry.length,
            identity: entry.identity, logged: entry.loggedAt.map(Timestamp.init(milliseconds:)))
    }
}

extension ProviderError {
    /// Whether it is about all calls, and not about a page.
    var isAboutTheCredential: Bool {
        switch kind {
        case .unauthorized, .credential, .throttled, .cancelled: true
        case .forbidden, .endpointNotFound, .rejected, .unreadableAnswer, .answerTooLarge,
            .redirected, .unavailable, .unreachable, .unknownOutcome:
            false
        }
    }

    /// Whether another page of the same log may well be readable: a page address that has expired, for instance.
    var isAboutThePage: Bool {
        switch kind {
        case .endpointNotFound, .rejected, .unreadableAnswer, .answerTooLarge, .redirected: true
        case .unauthorized, .forbidden, .throttled, .unavailable, .unreachable, .unknownOutcome, .credential,
            .cancelled:
            false
        }
    }
}
