import DeliveryQueue
import ProviderAPI

/// The provider's words in the queue's words. Nothing is decided here.
extension Observation {
    /// - Parameter webhookID: what stands for the webhook id when the entry has none: the configured one or the
    ///   endpoint's id, as a JSON string.
    init(_ entry: LogEntry, defaultWebhookID webhookID: String) {
        self.init(
            taskID: entry.taskID.text, taskIDJSON: entry.taskID.json, eventType: entry.eventType,
            customerID: entry.customerID?.text, customerIDJSON: entry.customerID?.json ?? "null",
            webhookID: entry.webhookID?.text ?? webhookID,
            webhookIDJSON: entry.webhookID?.json ?? JSONID(string: webhookID).json, body: entry.body,
            outcome: Outcome(entry.outcome), httpStatus: entry.statusCode,
            logged: entry.loggedAt.map(Timestamp.init(milliseconds:)),
            changed: entry.changedAt.map(Timestamp.init(milliseconds:)), error: entry.errorText)
    }
}

extension Observation.Outcome {
    init(_ outcome: LogEntry.Outcome) {
        switch outcome {
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .inProgress: self = .inProgress
        }
    }
}

extension UnreadableObservation {
    init(_ entry: UnreadableEntry) {
        self.init(
            reason: entry.reason.rawValue, detail: entry.detail, raw: entry.raw,
            logged: entry.loggedAt.map(Timestamp.init(milliseconds:)))
    }
}

extension RetryRequest {
    init(_ delivery: ClaimedDelivery) {
        self.init(
            taskIDJSON: delivery.taskIDJSON, customerIDJSON: delivery.customerIDJSON,
            webhookIDJSON: delivery.webhookIDJSON, eventType: delivery.eventType, body: delivery.body)
    }
}

extension AttemptOutcome.Meaning {
    /// - Parameter pause: how long the gate stays shut after this answer, where it shuts.
    init(_ kind: RetryAnswer.Kind, pause: Duration) {
        switch kind {
        case .accepted: self = .accepted
        case .uncertain: self = .uncertain
        case .serverError: self = .serverError
        case .throttled, .unavailable, .unreachable, .unauthorized, .forbidden: self = .notExecuted(pause: pause)
        case .notFound: self = .notFound
        case .rejected: self = .rejected
        case .redirected: self = .redirected
        }
    }
}

extension CallGate {
    /// The pause after a refused credential; the gate itself opens only when a login works.
    static let credentialPause = Duration.seconds(60)

    /// Takes in what an answer says of the provider as a whole.
    ///
    /// - Returns: how long a delivery that was not executed is put off.
    mutating func learn(from answer: RetryAnswer, at now: Timestamp) -> Duration {
        switch answer.kind {
        case .accepted:
            accepted(at: now)
        case .throttled:
            return pause(.throttled, for: answer.retryAfter, at: now)
        case .unavailable:
            return pause(.unavailable, for: answer.retryAfter, at: now)
        case .unreachable:
            return unreachable(at: now)
        case .unauthorized, .forbidden:
            credentialRefused(at: now)
            return Self.credentialPause
        case .uncertain, .serverError:
            badAnswer(at: now)
        case .notFound, .rejected, .redirected:
            callAnswered(at: now)
        }
        return .zero
    }

    /// Takes in what a log that could not be read says of the provider as a whole. A 403 or 404 is that endpoint's; in an
    /// outage it shows that the provider answers again, as a page that cannot be understood does.
    mutating func learn(from error: ProviderError, at now: Timestamp) {
        switch error.kind {
        case .unauthorized, .credential:
            credentialRefused(at: now)
        case .throttled:
            pause(.throttled, for: error.retryAfter, at: now)
        case .unavailable where error.retryAfter != nil:
            pause(.unavailable, for: error.retryAfter, at: now)
        case .unavailable, .unreachable, .unknownOutcome:
            badRead(at: now)
        case .forbidden, .endpointNotFound, .unreadableAnswer, .answerTooLarge, .foreignNextPage, .redirected,
            .rejected:
            logAnswered(at: now)
        case .cancelled:
            return
        }
    }
}

extension ProviderError {
    /// Whether another page of the same log may well be readable: a page address that has expired, for instance.
    var isAboutThePage: Bool {
        switch kind {
        case .endpointNotFound, .rejected, .unreadableAnswer, .answerTooLarge, .foreignNextPage, .redirected: true
        case .unauthorized, .forbidden, .throttled, .unavailable, .unreachable, .unknownOutcome, .credential,
            .cancelled:
            false
        }
    }
}
