/// How urgently an endpoint's log is to be read.
package enum PollUrgency: Sendable, Equatable {
    /// It has nothing to tell that anything waits for.
    case routine
    /// A call's outcome is open, or the circuit is, and any arrival in the log would close it.
    case soon
    /// A trial or a drain that has just begun waits for the outcome of its newest call before more is called.
    case atOnce

    /// How long after the newest call a log is watched that closely. One that lags by more is read like any other.
    static let closeWatch = Duration.seconds(30)
}
