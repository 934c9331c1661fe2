import ProviderAPI

/// What came of the retries that operators asked for, when they were called without a daemon.
package struct ManualRetries: Sendable {
    /// Calls that reached the provider, or may have.
    package let called: Int
    /// Of them, those that the provider took on.
    package let accepted: Int
    /// What went wrong beside the answers, and mostly why others could not be called and stay asked for; nil: nothing.
    package let obstacle: (any Error)?

    /// - Parameter obstacles: first why logs could not be read, without which an endpoint is not called, then the rest.
    init(_ calls: DispatchSummary, obstacles: [any Error]) {
        called = calls.started - calls.unreached
        accepted = calls.accepted
        obstacle = calls.unreached > 0 ? Self.unreached : obstacles.first
    }

    private static let unreached = ProviderError(
        operation: "asking for a retry", reason: .unreachable(cause: "not sent"))
}
