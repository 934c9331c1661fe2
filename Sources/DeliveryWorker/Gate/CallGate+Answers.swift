package import DeliveryQueue
import ProviderAPI

/// What the provider's answers do to the gate.
extension CallGate {
    /// What the gate makes of an answer to a call.
    package struct Taken: Sendable, Equatable {
        /// What the answer means.
        package var answer: Answer
        /// How long calls are put off since this answer; zero where they are not.
        package var pause: Duration
        /// When a call was last taken on with the same grant; nil: none was.
        package var lastTakenOn: Timestamp?
    }

    /// Takes in the answer to a call. A 403 is about its delivery while logs are read with the same grant; else it is
    /// about the credential.
    mutating func take(_ reply: RetryAnswer, at now: Timestamp) -> Taken {
        var answer = Answer(reply.kind)
        if answer == .forbidden, grants.readsLogs(with: reply.grant) { answer = .deliveryForbidden }
        if answer == .accepted { grants.callTakenOn(with: reply.grant, at: now) }
        let last = grants.lastTakenOn(with: reply.grant)
        return Taken(answer: answer, pause: take(answer, retryAfter: reply.retryAfter, at: now), lastTakenOn: last)
    }

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

    /// A call was accepted: the provider is there, and the rate recovers a little.
    package mutating func accepted(at now: Timestamp) {
        callAnswered(at: now)
        if closed == nil { calls.recover() }
    }

    /// A page of an endpoint's log was read.
    ///
    /// - Parameters:
    ///   - grant: that of the request.
    ///   - began: when it was asked for; nil: just now.
    mutating func logRead(of endpointID: String, with grant: Int?, since began: Timestamp? = nil, at now: Timestamp) {
        grants.logRead(of: endpointID, with: grant)
        logAnswered(since: began, at: now)
    }

    /// Takes in what a log that could not be read says of the provider as a whole. A 404 is that endpoint's, and so is
    /// a 403 while another log may be read; in an outage it shows that the provider answers again, as a page that
    /// cannot be understood does.
    mutating func take(_ error: ProviderError, of endpointID: String, at now: Timestamp) {
        switch error.kind {
        case .unauthorized, .credential:
            credentialRefused(at: now)
        case .throttled:
            pauseReading(for: error.retryAfter, at: now)
        case .unavailable where error.retryAfter != nil:
            pause(.unavailable, for: error.retryAfter, at: now)
        case .unavailable, .unreachable, .unknownOutcome:
            badRead(at: now)
        case .forbidden:
            logAnswered(at: now)
            if grants.logForbidden(of: endpointID) { credentialRefused(at: now) }
        case .endpointNotFound, .unreadableAnswer, .answerTooLarge, .redirected, .rejected:
            logAnswered(at: now)
        case .cancelled:
            return
        }
    }
}
