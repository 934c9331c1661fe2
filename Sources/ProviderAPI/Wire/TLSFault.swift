import NIOSSL

/// What an error of the TLS library means.
enum TLSFault {
    /// Whether the server's certificate was not accepted for its dates or its issuer. The library does not tell which.
    static func isDistrust(_ error: any Error) -> Bool {
        names(error).contains("CERTIFICATE_VERIFY_FAILED")
    }

    /// The cause in our words; nil when another library made the error.
    static func cause(_ error: any Error) -> TransportError.Cause? {
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname: .certificateOfAnotherHost
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            refusals.contains(where: names(error).contains) ? .clientCertificateRefused : .tls
        default: nil
        }
    }

    /// The alerts with which a server refuses our certificate or our lack of one (RFC 8446, 6.2).
    private static let refusals = [
        "ALERT_BAD_CERTIFICATE", "ALERT_UNSUPPORTED_CERTIFICATE", "ALERT_CERTIFICATE_REVOKED",
        "ALERT_CERTIFICATE_EXPIRED", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_UNKNOWN_CA", "CERTIFICATE_REQUIRED",
    ]

    /// The error's text. The library names its errors nowhere else.
    private static func names(_ error: any Error) -> String { "\(error)" }
}
