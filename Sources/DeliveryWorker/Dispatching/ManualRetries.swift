import ProviderAPI

/// The result of retries that operators asked for and that were called without a daemon.
package struct ManualRetries: Sendable {
    /// Calls that reached the provider, or may have.
    package let called: Int
    /// How many of them the provider accepted.
    package let accepted: Int
    /// Why some retries could not be called; they stay asked for. nil when nothing went wrong.
    package let obstacle: (any Error)?

    /// - Parameter obstacles: the logs that could not be read come first, because their endpoints are not called.
    init(_ calls: DispatchSummary, obstacles: [any Error]) {
        called = calls.started - calls.unreached
        accepted = calls.accepted
        obstacle = calls.unreached > 0 ? Self.unreached : obstacles.first
    }

    private static let unreached = ProviderError(
        operation: "asking for a retry", reason: .unreachable(cause: "not sent"))
}
