import DeliveryQueue

extension ChaosInvariants {
    /// Each row of the log is with the delivery of its own event. Where a log cannot tell events apart by content, that
    /// holds only once the worker can know that it shows retries under their own task ids.
    func owners(_ snapshot: ChaosSnapshot, _ truth: ChaosTruth) -> Fault? {
        guard !plan.hasClockTrouble, !plan.goesByAnswers else { return nil }
        var strangers: [(key: String, endpoint: String, found: Int64)] = []
        for (key, owner) in snapshot.entries {
            let parts = key.split(separator: " ").map(String.init)
            guard let delivery = owner.flatMap({ snapshot.deliveries[$0] }),
                let endpoint = plan.receivers.firstIndex(where: { $0.id == parts[0] }),
                let number = truth.event(endpoint, taskText: delivery.taskID),
                let own = truth.event(endpoint, taskText: parts[1]), own != number
            else { continue }
            guard plan.alike(number).contains(own) else {
                return ("a row is its own event's", "\(key) with \(delivery)")
            }
            strangers.append((key, parts[0], snapshot.found[key] ?? 0))
        }
        // Only an endpoint's first mistake counts: after it the streak of names begins again.
        for stranger in strangers.sorted(by: { $0.found < $1.found }) {
            let isFirst = !strangers.contains { $0.endpoint == stranger.endpoint && $0.found < stranger.found }
            if isFirst, knowsNames(of: stranger.endpoint, before: stranger.found, snapshot) {
                return ("an equal event is an event of its own", stranger.key)
            }
        }
        return nil
    }

    /// Whether the log showed enough calls under their own task ids, the first of them long enough ago, and was never
    /// silent for long about one that the provider had accepted.
    private func knowsNames(of endpoint: String, before found: Int64, _ snapshot: ChaosSnapshot) -> Bool {
        let within = plan.variants.map(\.confirmWithin.wholeMilliseconds)
        let attempts = snapshot.deliveries.values.filter { $0.endpoint == endpoint }
            .flatMap { snapshot.attempts[$0.id] ?? [] }
        let wasSilent = attempts.contains {
            $0.answer == "accepted" && $0.intent < found
                && ($0.settled ?? .max) - ($0.answered ?? 0) >= within.min() ?? 0
        }
        let shown = attempts.filter { ["delivered", "failed"].contains($0.outcome) && $0.settled ?? .max < found }
        guard let failed = shown.filter({ $0.outcome == "failed" }).compactMap(\.settled).min() else { return false }
        return !wasSilent && shown.count >= RetryRules.ownNamesLimit && found - failed >= within.max() ?? 0
    }
}
