import DeliveryQueue
import Logging

/// Gives up waiting for proofs that the log does not show, and rescues calls whose lease ran out.
struct Settler: Sendable {
    let store: QueueStore
    let rules: RetryRules
    /// nil when only our own clock tells the time.
    var time: ProviderClock?
    let logger: Logger

    func runOnce(at now: Timestamp) async throws -> SettleSummary {
        if time?.isTold ?? false { try await store.shortenWaits(rules: rules, at: now) }
        let summary = try await store.settleOverdue(rules: rules, at: now)
        if summary.interrupted + summary.unconfirmed > 0 {
            logger.notice(
                "retry calls settled that the log does not show",
                metadata: ["interrupted": "\(summary.interrupted)", "unconfirmed": "\(summary.unconfirmed)"])
        }
        if summary.taken > 0 {
            logger.notice(
                "failures became deliveries that the same row of another endpoint's log had kept",
                metadata: ["count": "\(summary.taken)"])
        }
        for endpoint in summary.held {
            logger.error(
                """
                endpoint held: its log did not show three retries in a row; if this provider's log never shows \
                retries, set confirm.by: answer and run redeliver endpoints resume
                """,
                metadata: ["endpoint": "\(endpoint)", "reason": "\(HoldReason.logSilent.rawValue)"])
        }
        return summary
    }
}
