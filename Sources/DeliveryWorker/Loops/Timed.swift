/// Does the work and measures how long it took, by a clock that tests can set.
func timed<Value>(
    on clock: some Clock<Duration>, _ work: () async throws -> Value
) async rethrows -> (value: Value, duration: Duration) {
    let started = clock.now
    let value = try await work()
    return (value, started.duration(to: clock.now))
}
