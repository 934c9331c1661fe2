/// Why no complete answer came, and above all whether the provider may have acted on the request.
///
/// Never holds a URL, a header or a body.
package enum TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Surely nothing was executed.
    case notSent(Cause)
    /// The request may have been executed: it was on its way when contact was lost.
    case unknownOutcome(Cause)
    /// The answer was longer than the request allows. The request was executed.
    case responseTooLarge(limit: Int)
    /// Our own task was cancelled; as with ``unknownOutcome(_:)`` the request may have been executed.
    case cancelled

    /// Bounded, so that it can be a log value or a label.
    package enum Cause: String, Sendable, CaseIterable {
        case refused = "connection_refused"
        case unreachable = "network_unreachable"
        case dns = "dns"
        case connectTimeout = "connect_timeout"
        case tls = "tls_handshake"
        case certificateExpired = "certificate_expired"
        case certificateNotYetValid = "certificate_not_yet_valid"
        case certificateOfAnotherHost = "certificate_of_another_host"
        case certificateIssuerUnknown = "certificate_issuer_unknown"
        /// Ours, or that we have none.
        case clientCertificateRefused = "client_certificate_refused"
        case proxyUnreachable = "proxy_unreachable"
        case proxyRefused = "proxy_refused"
        case proxyCredentials = "proxy_credentials"
        case noConnection = "no_connection"
        case shutDown = "shut_down"
        case invalidRequest = "invalid_request"
        case timeout = "timeout"
        case connectionClosed = "connection_closed"
        case reset = "connection_reset"
        case garbledAnswer = "garbled_answer"
        case other = "other"
    }

    /// What to do about it, where more can be said than of any lost connection; nil: it cannot.
    package var advice: String? {
        switch self {
        case .notSent(let cause), .unknownOutcome(let cause): cause.advice
        case .responseTooLarge, .cancelled: nil
        }
    }

    package var label: String {
        switch self {
        case .notSent(let cause), .unknownOutcome(let cause): cause.rawValue
        case .responseTooLarge: "response_too_large"
        case .cancelled: "cancelled"
        }
    }

    package var description: String {
        switch self {
        case .notSent(let cause): "not sent (\(cause.rawValue))"
        case .unknownOutcome(let cause): "outcome unknown (\(cause.rawValue))"
        case .responseTooLarge(let limit): "the answer is larger than \(limit) bytes"
        case .cancelled: "cancelled"
        }
    }
}

extension TransportError.Cause {
    fileprivate var advice: String? {
        switch self {
        case .certificateExpired:
            "its certificate has expired; the provider has to renew it, or this machine's clock is wrong"
        case .certificateNotYetValid:
            "its certificate is not valid yet; check this machine's clock"
        case .certificateOfAnotherHost:
            "its certificate is for another host; check the host in base_url, and who answers in its place"
        case .certificateIssuerUnknown:
            "nobody whom this machine trusts has issued its certificate; name the issuer's certificate in provider.ca_file, "
                + "or update the system's (ca-certificates)"
        case .clientCertificateRefused:
            "it does not accept our certificate; check provider.client_certificate, its dates and its issuer"
        case .proxyUnreachable: "the proxy cannot be reached; check provider.proxy"
        case .proxyRefused:
            "the proxy does not connect us; check provider.proxy, whether it allows the provider's address, and "
                + "provider.proxy_credentials_file"
        case .proxyCredentials: "the proxy wants credentials, or others; check provider.proxy_credentials_file"
        case .refused, .unreachable, .dns, .connectTimeout, .tls, .noConnection, .shutDown, .invalidRequest, .timeout,
            .connectionClosed, .reset, .garbledAnswer, .other:
            nil
        }
    }
}
