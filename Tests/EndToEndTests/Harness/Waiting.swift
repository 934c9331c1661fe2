/// What a test waited for and did not see in time.
struct WaitedInVain: Error, CustomStringConvertible {
    let what: String
    let limit: Duration

    var description: String { "waited \(limit) in vain: \(what)" }
}

/// How long a test waits for what must happen. It guards against hanging and measures nothing: a busy machine may be slow.
let patience = Duration.seconds(180)

/// Asks every 50 ms until the condition holds. The only place in these tests that sleeps.
///
/// - Throws: `WaitedInVain` when the time is over, or what the condition throws.
func waitUntil(
    _ what: String, within limit: Duration = patience, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw WaitedInVain(what: what, limit: limit) }
        try await Task.sleep(for: .milliseconds(50))
    }
}
