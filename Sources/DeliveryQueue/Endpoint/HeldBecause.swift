/// What holds a delivery or an endpoint, in the words of the views `delivery_standing` and `endpoint_standing`, which
/// decide it.
package enum HeldBecause: String, SQLWord, Sendable, CaseIterable {
    /// The endpoint is no longer in the configuration.
    case notConfigured = "not configured"
    case logSilent = "log_silent"
    case rejected
    case forbidden
    case redirected
    case clientRefused = "client_refused"
    case bodyForm = "body_form"
    case `operator`
    /// The endpoint's circuit is open.
    case circuit
}
