/// Why the deliveries of an endpoint are held.
package enum HoldReason: String, SQLWord, Sendable, CaseIterable {
    /// Three different retries in a row stayed unconfirmed: matching is broken or the log lags.
    case logSilent = "log_silent"
    /// Three different deliveries in a row were refused as malformed: our own format is suspect.
    case rejected
    /// The provider redirects retries: `base_url` is wrong.
    case redirected
    /// An operator paused the endpoint.
    case `operator`
}
