import DeliveryQueue
package import RedeliverConfiguration

/// Schedules that webhook services publish, for comparison. They retry each failure on its own, whatever others show.
package enum PublishedSchedule: String, Sendable, CaseIterable {
    case listed = "5s, 5m, 30m, 2h, 5h, 10h, 10h"
    case doubling = "30s x 2, cap 6h"

    package var name: String { rawValue }

    /// The configuration with this schedule for every event type, without jitter, age limit and circuit.
    package func applied(to configuration: WorkerConfiguration) -> WorkerConfiguration {
        var configuration = configuration
        configuration.circuit.isEnabled = false
        let policy = RetryPolicy(spacing: spacing, jitter: 0, maxAge: .seconds(365 * 86_400))
        configuration.policies = PolicyBook(entries: [PolicyBook.Entry(events: ["*"], policy: policy)])
        return configuration
    }

    private var spacing: RetryPolicy.Spacing {
        switch self {
        case .listed:
            .listed([
                .seconds(5), .seconds(300), .seconds(1_800), .seconds(7_200), .seconds(18_000), .seconds(36_000),
                .seconds(36_000),
            ])
        case .doubling:
            // 20 attempts are 68.5 h.
            .exponential(initial: .seconds(30), multiplier: 2, cap: .seconds(6 * 3_600), attempts: 20)
        }
    }
}
