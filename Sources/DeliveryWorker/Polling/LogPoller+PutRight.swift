import DeliveryQueue
import Logging
import RedeliverConfiguration

/// What a turn does first, when an earlier one went by a clock that was ahead.
extension LogPoller {
    /// Lets be judged again what such a clock decided.
    ///
    /// - Returns: whether it did, so that the turn needs another plan.
    func putRight(_ plan: ScanPlan, at now: Timestamp) async throws -> Bool {
        let historyFrom = now - poll.initialLookback
        // An endpoint that was first seen by such a clock, and of whose log nothing is read yet.
        let startsLate = plan.isFirst && plan.historyFrom > historyFrom
        guard plan.wasReadAhead || startsLate else { return false }
        // A clock that is behind would take what the right one did for done by one that was ahead.
        guard isClockCompared() else {
            guard try await budget.turn(for: .new, of: endpoint.id) else { return false }
            _ = try await ask(for: nil, started: now)
            throw ClockPutBack()
        }
        if try await store.putRight(endpoint.id, historyFrom: historyFrom, rules: rules, at: now) {
            logger.notice(
                "the log was read by a clock that was ahead; what it judged wrongly is read and judged again",
                metadata: ["endpoint": "\(endpoint.name)"])
        }
        return true
    }
}
