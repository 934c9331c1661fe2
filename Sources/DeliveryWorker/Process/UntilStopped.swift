import UnixSignals

/// Runs work that has no end of its own until SIGINT or SIGTERM, which cancel it: an operator's Ctrl-C is no error.
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
        // What the end broke off is no error either.
        while await group.nextResult() != nil {}
    }
}
