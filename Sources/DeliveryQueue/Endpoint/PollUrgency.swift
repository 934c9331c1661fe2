/// How urgently an endpoint's log is to be read.
package enum PollUrgency: Sendable, Equatable {
    /// Nothing waits for what the log shows.
    case routine
    /// A call's outcome is open; or the circuit is open, and any arrival in the log would close it.
    case soon
    /// A trial or a drain made a call just now, and waits for its outcome before it makes more.
    case atOnce

    /// How long after the newest call a log is read at once. A log that lags by more is read at the usual pace.
    static let closeWatch = Duration.seconds(30)
}
