import UnixSignals

/// Runs work that SIGINT and SIGTERM cancel. The process does not end at once, so the work can remove unfinished files.
///
/// - Throws: what `work` throws, also when it is cancelled.
package func cancelledBySignals<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            for await _ in signals { break }
            return nil
        }
        defer { group.cancelAll() }
        while let value = try await group.next() {
            if let value { return value }
            group.cancelAll()
        }
        throw CancellationError()
    }
}
