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
        case noConnection = "no_connection"
        case shutDown = "shut_down"
        case invalidRequest = "invalid_request"
        case timeout = "timeout"
        case connectionClosed = "connection_closed"
        case reset = "connection_reset"
        case garbledAnswer = "garbled_answer"
        case other = "other"
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
