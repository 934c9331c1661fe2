/// What a test waited for and did not see in time.
package struct WaitedInVain: Error, CustomStringConvertible {
    let what: String
    let limit: Duration

    package var description: String { "waited \(limit) in vain: \(what)" }
}

/// How long a test waits for what must happen. It guards against hanging and measures nothing: a busy machine may be
/// slow.
package let patience = Duration.seconds(180)

/// Asks every 20 ms until the condition holds. The tests wait for events here and nowhere else.
///
/// - Throws: `WaitedInVain` when the time is over, or what the condition throws.
package func waitUntil(
    _ what: String, within limit: Duration = patience, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw WaitedInVain(what: what, limit: limit) }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Work that has no end but that of its task.
package func untilCancelled() async throws {
    try await Task.sleep(for: .seconds(86_400))
}
