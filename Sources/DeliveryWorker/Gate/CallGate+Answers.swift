package import DeliveryQueue
import ProviderAPI

/// What the provider's answers do to the gate.
extension CallGate {
    /// Takes in what the answer to a call says of the provider as a whole, by `AnswerTable`.
    ///
    /// - Parameter retryAfter: nil when the provider names no time.
    /// - Returns: how long calls are put off since this answer; zero where they are not.
    package mutating func take(_ answer: Answer, retryAfter: Duration?, at now: Timestamp) -> Duration {
        switch AnswerTable.row(answer).gate {
        case .recovers: accepted(at: now)
        case .staysOpen: callAnswered(at: now)
        case .countsBadAnswer: badAnswer(at: now)
        case .pausesThrottled: return pause(.throttled, for: retryAfter, at: now)
        case .pausesUnavailable: return pause(.unavailable, for: retryAfter, at: now)
        case .opensOutage: return unreachable(at: now)
        case .unused: giveBack(1)
        case .refusesCredential:
            credentialRefused(at: now)
            return AnswerTable.credentialPause
        }
        return .zero
    }

    /// Takes in what a log that could not be read says of the provider as a whole. A 403 or 404 is that endpoint's; in
    /// an outage it shows that the provider answers again, as a page that cannot be understood does.
    mutating func take(_ error: ProviderError, at now: Timestamp) {
        switch error.kind {
        case .unauthorized, .credential:
            credentialRefused(at: now)
        case .throttled:
            pauseReading(for: error.retryAfter, at: now)
        case .unavailable where error.retryAfter != nil:
            pause(.unavailable, for: error.retryAfter, at: now)
        case .unavailable, .unreachable, .unknownOutcome:
            badRead(at: now)
        case .forbidden, .endpointNotFound, .unreadableAnswer, .answerTooLarge, .redirected,
            .rejected:
            logAnswered(at: now)
        case .cancelled:
            return
        }
    }
}
