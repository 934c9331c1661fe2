import DeliveryQueue
import Logging

/// Gives up waiting where the log stayed silent, and rescues calls whose lease ran out.
struct Settler: Sendable {
    let store: QueueStore
    let rules: RetryRules
    /// nil: nobody tells the time but our own clock.
    var time: ProviderClock?
    let logger: Logger

    func runOnce(at now: Timestamp) async throws -> SettleSummary {
        if time?.isTold ?? false { try await store.shortenWaits(rules: rules, at: now) }
        let summary = try await store.settleOverdue(rules: rules, at: now)
        if summary.interrupted + summary.unconfirmed > 0 {
            logger.notice(
                "calls settled without a word in the log",
                metadata: ["interrupted": "\(summary.interrupted)", "unconfirmed": "\(summary.unconfirmed)"])
        }
        for endpoint in summary.held {
            logger.error(
                """
                endpoint held: three retries in a row do not show in its log; if this provider's log never shows \
                retries, set confirm.by: answer, then run redeliver endpoints resume
                """,
                metadata: ["endpoint": "\(endpoint)", "reason": "\(HoldReason.logSilent.rawValue)"])
        }
        return summary
    }
}
