/// What a call is for, and with it what its failures mean to the person who asked for it.
struct ProviderOperation: Sendable {
    /// For example `reading the log of endpoint 'abc'`.
    let name: String
    /// For a call that must not simply be repeated: what to do when nobody knows whether it was executed. nil: repeat it.
    var adviceIfUnknown: String?
    /// Parts of the request that no message may show, although the provider may repeat them when it refuses it. nil: the
    /// answer's text is shown to nobody.
    var hidden: [String]?

    init(_ name: String, adviceIfUnknown: String? = nil, hiding hidden: [String]? = nil) {
        self.name = name
        self.adviceIfUnknown = adviceIfUnknown
        self.hidden = hidden
    }

    func error(_ reason: ProviderError.Reason, said: String? = nil) -> ProviderError {
        ProviderError(operation: name, reason: reason, said: said)
    }

    /// An answer of 2xx that does not say what it should. A call that must not be repeated may have been executed.
    func unreadable(_ cause: String) -> ProviderError {
        error(adviceIfUnknown.map { .unknownOutcome(cause: cause, advice: $0) } ?? .unreadableAnswer(cause: cause))
    }

    /// No complete answer came.
    func failed(_ error: TransportError) -> ProviderError {
        guard let adviceIfUnknown else { return self.error(ProviderError.reason(of: error)) }
        switch error {
        case .notSent: return self.error(ProviderError.reason(of: error))
        case .unknownOutcome, .responseTooLarge, .cancelled:
            return self.error(.unknownOutcome(cause: error.label, advice: adviceIfUnknown))
        }
    }

    /// What an answer says against the call; nil for 2xx. `now` is in milliseconds since 1970 UTC.
    func refusal(in response: HTTPResponse, now: Int64) -> ProviderError? {
        guard let reason = ProviderError.reason(of: response, now: now) else { return nil }
        switch reason {
        case .rejected:
            return error(reason, said: said(response.body))
        // 425 and 503 say that the call was not executed; the other statuses of this kind leave it open.
        case .unavailable(let status, _) where status != 425 && status != 503:
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
