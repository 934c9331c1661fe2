/// The task of a call, which decides what its failures mean for the person who asked for it.
struct ProviderOperation: Sendable {
    /// For example `reading the log of endpoint 'abc'`.
    let name: String
    /// What to do when it is unknown whether the provider executed the call. nil for a call that may be repeated.
    let adviceIfUnknown: String?
    /// Parts of the request that are masked in the text of a refusal. nil shows no text at all.
    private let hidden: [String]?

    init(_ name: String, adviceIfUnknown: String? = nil, hiding hidden: [String]? = nil) {
        self.name = name
        self.adviceIfUnknown = adviceIfUnknown
        self.hidden = hidden
    }

    /// An error of this operation; `said` is the provider's text, already masked.
    func error(_ reason: ProviderError.Reason, said: String? = nil) -> ProviderError {
        ProviderError(operation: name, reason: reason, said: said)
    }

    /// The error for a 2xx answer that cannot be read. The outcome is unknown when the call must not be repeated.
    func unreadable(_ cause: String) -> ProviderError {
        error(adviceIfUnknown.map { .unknownOutcome(cause: cause, advice: $0) } ?? .unreadableAnswer(cause: cause))
    }

    /// The error for a call without a complete answer.
    func failed(_ error: TransportError) -> ProviderError {
        guard let adviceIfUnknown else { return self.error(ProviderError.reason(of: error)) }
        switch error {
        case .notSent: return self.error(ProviderError.reason(of: error))
        case .unknownOutcome, .responseTooLarge, .cancelled:
            return self.error(.unknownOutcome(cause: error.label, advice: adviceIfUnknown))
        }
    }

    /// The error for an answer that refuses the call; nil for 2xx. `now` is in milliseconds since 1970 UTC.
    func refusal(in response: HTTPResponse, now: Int64) -> ProviderError? {
        guard let reason = ProviderError.reason(of: response, now: now) else { return nil }
        switch reason {
        case .rejected:
            return error(reason, said: said(response.body))
        // Only the kind `unavailable` says that the call was not executed.
        case .unavailable(let status, _) where RetryAnswer.kind(ofStatus: status) != .unavailable:
            return adviceIfUnknown == nil ? error(reason) : unreadable("HTTP \(status)")
        case .unreadableAnswer(let cause):
            return unreadable(cause)
        default:
            return error(reason)
        }
    }

    private func said(_ body: [UInt8]) -> String? {
        guard let hidden else { return nil }
        return RefusalText.excerpt(RefusalText.mask(hidden, in: body))
    }
}
