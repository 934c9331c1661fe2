import UnixSignals

/// Runs endless work until SIGINT or SIGTERM cancels it. An operator's Ctrl-C is no error.
///
/// - Throws: what the work throws before that.
package func untilStopped(_ work: @escaping @Sendable () async throws -> Void) async throws {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            for await _ in signals { return }
        }
        group.addTask { try await work() }
        defer { group.cancelAll() }
        try await group.next()
        group.cancelAll()
        // Errors of the cancelled work are not errors either.
        while await group.nextResult() != nil {}
    }
}
