extension CallGate {
    /// Why no call begins.
    package enum Closed: String, Sendable, CaseIterable {
        /// 429.
        case throttled
        /// 503 or 425.
        case unavailable
        /// Refused connections, DNS, or too many calls in a row without a usable answer. A readable log ends it.
        case outage
        /// 401 after a fresh login, or 403 while no log may be read. Ended by a log that can be read again.
        case credential
    }
}
