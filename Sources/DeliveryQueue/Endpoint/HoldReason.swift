/// Why the deliveries of an endpoint are held.
package enum HoldReason: String, SQLWord, Sendable, CaseIterable {
    /// Three different retries in a row stayed unconfirmed: matching is broken or the log lags.
    case logSilent = "log_silent"
    /// Three different deliveries in a row were refused as malformed: our own format is suspect.
    case rejected
    /// Three different deliveries in a row were forbidden while logs may be read: a permission is missing, or a
    /// firewall is in the way.
    case forbidden
    /// The provider redirects retries: `base_url` is wrong.
    case redirected
    /// The provider, or a proxy before it, refuses our client, account or path, whatever is sent.
    case clientRefused = "client_refused"
    /// The provider wants the body in the other form of `retry.body`.
    case bodyForm = "body_form"
    /// An operator paused the endpoint.
    case `operator`

    /// Those that an answer to a call begins. A call that is taken on ends them.
    static let byAnswer: [HoldReason] = [.rejected, .forbidden, .redirected, .clientRefused, .bodyForm]
}
