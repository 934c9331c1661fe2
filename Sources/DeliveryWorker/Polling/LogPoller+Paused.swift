import DeliveryQueue
import RedeliverConfiguration

/// What is said of a log that is not read because another one was answered with 429.
extension LogPoller {
    /// Stores it as the log's error, unless logs may be read: what waits for this log would else have no reason.
    ///
    /// - Returns: whether it did.
    func notePause(at now: Timestamp) async throws -> Bool {
        guard let left = await gate.with({ $0.readingPause(at: now) }) else { return false }
        try await store.recordPoll(of: endpoint.id, error: "\(ReadingPaused(left: left))", at: now)
        return true
    }
}
