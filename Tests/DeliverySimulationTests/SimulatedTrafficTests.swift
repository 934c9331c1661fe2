import Testing

@testable import DeliverySimulation

@Suite("Simulated traffic") struct SimulatedTrafficTests {
    private func events(
        end: Duration? = nil, pause: Range<Duration>? = nil, until last: Duration = .seconds(3_000), seed: UInt64 = 7
    ) -> [SimulatedTraffic.Event] {
        var traffic = SimulatedTraffic(
            origin: .seconds(1_000), gap: .seconds(10), end: end, pause: pause, eventTypes: ["a", "b"], seed: seed)
        var events: [SimulatedTraffic.Event] = []
        while let event = traffic.take(until: last) { events.append(event) }
        return events
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `one event comes in each gap, before, in and after the outage`(
        seed: UInt64
    ) {
        let events = events(seed: seed)
        #expect(events.map(\.number) == Array(-100..<200))
        for event in events {
            #expect(event.time >= .seconds(1_000) + .seconds(10) * event.number)
            #expect(event.time < .seconds(1_000) + .seconds(10) * (event.number + 1))
        }
        #expect(Set(events.map(\.eventType)) == ["a", "b"])
    }

    @Test func `it ends when it is told to, and pauses with the provider`() {
        #expect(events(end: .seconds(2_000)).map(\.number) == Array(-100..<100))
        let paused = events(pause: .seconds(2_000)..<Duration.seconds(2_500))
        #expect(paused.map(\.number) == Array(-100..<100) + Array(150..<200))
    }

    @Test func `a seed repeats it and another one changes it`() {
        #expect(events() == events())
        #expect(events().map(\.time) != events(seed: 8).map(\.time))
    }
}
