import DeliveryQueue
import Logging
import ProviderAPI
import RedeliverConfiguration

/// Decodes kept log entries again under a new configuration. When an operator corrects `log_fields`, the failures among
/// them become deliveries, however old they are. The others get the reasons that they have now.
struct UnreadableReader: Sendable {
    let store: QueueStore
    let client: ProviderClient
    let endpoints: [WorkerConfiguration.Endpoint]
    let rules: RetryRules
    let logger: Logger

    private static let batch = 200

    /// - Returns: how many entries can be decoded now.
    func runOnce(at now: Timestamp) async throws -> Int {
        var understood = 0
        var last: Int64 = 0
        while true {
            let entries = try await store.unreadableEntries(after: last, limit: Self.batch)
            guard let newest = entries.last?.id else { break }
            var changed: [(kept: KeptEntry, anew: UnreadableObservation)] = []
            for entry in entries {
                guard let endpoint = endpoints.first(where: { $0.id == entry.endpointID }) else { continue }
                switch client.logItem(from: entry.raw) {
                case .entry(let readable)?:
                    let observation = LogObservation(readable, defaultWebhookID: endpoint.webhookID ?? endpoint.id)
                    try await store.ingest(observation, insteadOf: entry, rules: rules, at: now)
                    understood += 1
                case .unreadable(let other)? where (other.reason.rawValue, other.detail) != (entry.reason, entry.detail):
                    changed.append((entry, UnreadableObservation(other)))
                case .unreadable?, nil: break
                }
            }
            try await store.judge(changed, at: now)
            last = newest
        }
        if understood > 0 {
            logger.notice("log entries that were unreadable can be read now", metadata: ["count": "\(understood)"])
        }
        return understood
    }
}
