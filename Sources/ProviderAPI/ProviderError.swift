/// Why a call other than a retry failed: the operation, the cause and what to do.
///
/// Never holds a token, a password, a URL's query or a delivery's body.
package struct ProviderError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: Sendable, Equatable {
        case unauthorized
        case forbidden
        case endpointNotFound
        case throttled(retryAfter: Duration?)
        /// 408, 425 or any 5xx: the provider cannot answer at the moment.
        case unavailable(status: Int, retryAfter: Duration?)
        /// No complete answer came; `cause` is ``TransportError/label``.
        case unreachable(
            cause: String, advice: String = "check base_url, DNS, firewall and the provider's status")
        /// The provider may have executed a call that must not be repeated; `advice` says how to find out.
        case unknownOutcome(cause: String, advice: String)
        /// The answer is not what docs/provider-api.md describes.
        case unreadableAnswer(cause: String)
        /// The answer is longer than `limit` bytes.
        case answerTooLarge(limit: Int)
        /// `to` is where it leads, for people; nil: it names no place.
        case redirected(status: Int, to: String? = nil)
        /// Any other 4xx.
        case rejected(status: Int)
        /// The credential itself cannot be used: a file is unreadable or the login is refused.
        case credential(reason: String)
        /// Our own task was cancelled.
        case cancelled
    }

    /// The reason without its details, a bounded set for metrics and log values.
    package enum Kind: String, Sendable, CaseIterable {
        case unauthorized, forbidden
        case endpointNotFound = "endpoint_not_found"
        case throttled, unavailable, unreachable
        case unknownOutcome = "unknown_outcome"
        case unreadableAnswer = "unreadable_answer"
        case answerTooLarge = "answer_too_large"
        case redirected, rejected, credential, cancelled
    }

    /// The task of the call, for example `reading the log of endpoint 'abc'`.
    package let operation: String
    package let reason: Reason
    /// The start of a 4xx answer's text for the person who made the request; nil when the text is not to be shown.
    package let said: String?

    package init(operation: String, reason: Reason, said: String? = nil) {
        self.operation = operation
        self.reason = reason
        self.said = said
    }

    package var kind: Kind {
        switch reason {
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .endpointNotFound: .endpointNotFound
        case .throttled: .throttled
        case .unavailable: .unavailable
        case .unreachable: .unreachable
        case .unknownOutcome: .unknownOutcome
        case .unreadableAnswer: .unreadableAnswer
        case .answerTooLarge: .answerTooLarge
        case .redirected: .redirected
        case .rejected: .rejected
        case .credential: .credential
        case .cancelled: .cancelled
        }
    }

    /// How long the provider asks us to wait, from zero to one hour; nil when it does not say.
    package var retryAfter: Duration? {
        switch reason {
        case .throttled(let retryAfter), .unavailable(_, let retryAfter): retryAfter
        default: nil
        }
    }

    package var description: String {
        "\(operation): \(explanation)" + (said.map { "; it says: \($0)" } ?? "")
    }

    private var explanation: String {
        switch reason {
        case .unauthorized:
            "the provider refused the token (HTTP 401), also a renewed one where there is any: check the credential"
        case .forbidden:
            "the provider refused access (HTTP 403): check the permissions of the user's group and any IP allow-list"
        case .endpointNotFound:
            "the provider does not know the address (HTTP 404): check base_url and the endpoint's id"
        case .throttled:
            "the provider asks to slow down (HTTP 429)"
        case .unavailable(let status, _):
            "the provider cannot answer at the moment (HTTP \(status))"
        case .unreachable(let cause, let advice):
            "no answer from the provider (\(cause)): \(advice)"
        case .unknownOutcome(let cause, let advice):
            "the outcome is unknown (\(cause)): \(advice)"
        case .unreadableAnswer(let cause):
            cause
        case .answerTooLarge(let limit):
            "the answer is larger than \(limit) bytes: is base_url right?"
        case .redirected(let status, let place):
            "the provider redirects (HTTP \(status))\(place.map { " to \($0)" } ?? ""), and redirects are not followed: "
                + "correct base_url"
        case .rejected(let status):
            "the provider rejected the request (HTTP \(status))"
        case .credential(let reason):
            reason
        case .cancelled:
            "cancelled"
        }
    }

    /// What an answer means for any call but a retry; nil for 2xx.
    ///
    /// - Parameter now: our clock in milliseconds since 1970 UTC.
    static func reason(of response: HTTPResponse, now: Int64) -> Reason? {
        let status = response.status
        var retryAfter: Duration? { RetryAfter.duration(in: response, now: now) }
        return switch RetryAnswer.kind(ofStatus: status) {
        case _ where response.refusesClientCertificate:
            .credential(
                reason: "the provider does not accept our certificate (HTTP \(status)): check "
                    + "provider.client_certificate, its dates and its issuer")
        case .accepted: nil
        case .redirected: .redirected(status: status, to: Redirect(response)?.text)
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .notFound where status == 404: .endpointNotFound
        case .throttled: .throttled(retryAfter: retryAfter)
        case .unavailable, .serverError: .unavailable(status: status, retryAfter: retryAfter)
        case .clientRefused where status >= 500: .unavailable(status: status, retryAfter: retryAfter)
        case .notFound, .rejected, .clientRefused, .bodyForm: .rejected(status: status)
        // A retry may have been executed after these two. Any other call may be repeated after a timeout, and a
        // conflict is a refusal.
        case .uncertain where status == 408: .unavailable(status: status, retryAfter: retryAfter)
        case .uncertain where status == 409 || status == 423: .rejected(status: status)
        case .uncertain, .unreachable, .moved, .late:
            .unreadableAnswer(cause: "HTTP status \(status) has no meaning here")
        }
    }

    /// What a missing answer means for any call but a retry.
    static func reason(of error: TransportError) -> Reason {
        switch error {
        case .notSent, .unknownOutcome:
            error.advice.map { .unreachable(cause: error.label, advice: $0) } ?? .unreachable(cause: error.label)
        case .responseTooLarge(let limit): .answerTooLarge(limit: limit)
        case .cancelled: .cancelled
        }
    }
}
