/// Why no complete answer came, and whether the provider may have executed the request.
///
/// Never holds a URL, a header or a body.
package enum TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The provider cannot have executed the request.
    case notSent(Cause)
    /// The request was on its way when the contact was lost. The provider may have executed it.
    case unknownOutcome(Cause)
    /// The provider executed the request, but its answer is longer than the request's limit in bytes.
    case responseTooLarge(limit: Int)
    /// Our own task was cancelled. The provider may have executed the request.
    case cancelled

    /// A bounded set of causes, fit for log values and labels.
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
        /// The server refuses our certificate, or wants one and we have none.
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

    /// What the operator can do about this cause; nil when there is only the usual advice for a lost connection.
    var advice: String? {
        switch self {
        case .notSent(let cause), .unknownOutcome(let cause): cause.advice
        case .responseTooLarge, .cancelled: nil
        }
    }

    /// The cause as a bounded word.
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
            "its certificate is for another host; check the host in base_url and which server answers there"
        case .certificateIssuerUnknown:
            "this machine does not trust the issuer of its certificate; name the issuer's certificate in "
                + "provider.ca_file, or update the system's certificates (ca-certificates)"
        case .clientCertificateRefused:
            "it does not accept our certificate; check provider.client_certificate, its dates and its issuer"
        case .proxyUnreachable: "the proxy cannot be reached; check provider.proxy"
        case .proxyRefused:
            "the proxy refuses to connect; check provider.proxy, provider.proxy_credentials_file and whether the proxy "
                + "allows the provider's address"
        case .proxyCredentials: "the proxy wants other credentials, or some; check provider.proxy_credentials_file"
        case .refused, .unreachable, .dns, .connectTimeout, .tls, .noConnection, .shutDown, .invalidRequest, .timeout,
            .connectionClosed, .reset, .garbledAnswer, .other:
            nil
        }
    }
}
