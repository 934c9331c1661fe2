/// When the deliveries of one event type are retried, and when we stop.
///
/// The default waits 1 m, 2 m, 4 m, 8 m, 16 m, 32 m, 64 m, 128 m, 256 m, 512 m, then 12 h four times: 14 attempts over
/// 65 h 3 m, so deliveries survive a weekend without an operator. The limit that is reached first ends a delivery.
package struct RetryPolicy: Sendable, Equatable {
    /// How the waits between attempts grow.
    package enum Spacing: Sendable, Equatable {
        /// `initial` × `multiplier`ⁿ, never longer than `cap`, for at most `attempts` attempts.
        case exponential(initial: Duration, multiplier: Double, cap: Duration, attempts: Int)
        /// One wait for each attempt; there are as many attempts as waits.
        case listed([Duration])
    }

    /// What happens to a delivery when a newer event of the same webhook, customer and event type has arrived.
    package enum Superseded: String, Sendable, CaseIterable {
        /// Retried all the same: each event matters.
        case retry
        /// Ends dead with the reason `superseded`: old state must not overwrite new state.
        case skip
    }

    package var spacing: Spacing
    /// The share of a wait that may be added to it, 0 to 1. Jitter only adds: a policy's wait is a promise of rest.
    package var jitter: Double
    /// The longest time from the first failure to the beginning of an attempt.
    package var maxAge: Duration
    package var onSuperseded: Superseded

    package init(
        spacing: Spacing = Self.defaultSpacing,
        jitter: Double = 0.1,
        maxAge: Duration = .seconds(72 * 3_600),
        onSuperseded: Superseded = .retry
    ) {
        self.spacing = spacing
        self.jitter = jitter
        self.maxAge = maxAge
        self.onSuperseded = onSuperseded
    }

    package static let defaultSpacing = Spacing.exponential(
        initial: .seconds(60), multiplier: 2, cap: .seconds(12 * 3_600), attempts: 14)

    package static let standard = RetryPolicy()

    /// How many attempts one cycle has; manual retries are not counted among them.
    package var maxAttempts: Int {
        switch spacing {
        case .exponential(_, _, _, let attempts): attempts
        case .listed(let waits): waits.count
        }
    }

    /// The wait before attempt `number` (the first is 1), without jitter; nil when the policy has no such attempt.
    package func wait(beforeAttempt number: Int) -> Duration? {
        guard number >= 1, number <= maxAttempts else { return nil }
        switch spacing {
        case .listed(let waits):
            return waits[number - 1]
        case .exponential(let initial, let multiplier, let cap, _):
            return Self.exponentialWait(initial: initial, multiplier: multiplier, cap: cap, exponent: number - 1)
        }
    }

    /// The wait before attempt `number` with up to `jitter` of it added; nil when the policy has no such attempt.
    package func delay(beforeAttempt number: Int, using generator: inout some RandomNumberGenerator) -> Duration? {
        guard let wait = wait(beforeAttempt: number) else { return nil }
        guard jitter > 0 else { return wait }
        let extra = Double(wait.wholeMilliseconds) * Double.random(in: 0..<jitter, using: &generator)
        return wait + .milliseconds(Int64(extra))
    }

    /// Multiplies step by step and stops at the cap, so that no exponent overflows.
    private static func exponentialWait(
        initial: Duration, multiplier: Double, cap: Duration, exponent: Int
    ) -> Duration {
        let limit = Double(cap.wholeMilliseconds)
        var wait = Double(initial.wholeMilliseconds)
        for _ in 0..<exponent where wait < limit {
            wait *= multiplier
        }
        // The comparison stands this way round so that 0 × ∞, which is not a number, becomes the cap too.
        return .milliseconds(Int64(wait < limit ? wait : limit))
    }
}
