/// A result and how long it took, on a clock that a test may turn.
func timed<Value>(
    on clock: some Clock<Duration>, _ work: () async throws -> Value
) async rethrows -> (value: Value, duration: Duration) {
    let started = clock.now
    let value = try await work()
    return (value, started.duration(to: clock.now))
}
