/// The times of new events: one in every `gap`, at a random moment of the gap. Endless without an `end`.
struct SimulatedTraffic: Sendable {
    /// A new event and the time of its first delivery attempt.
    struct Event: Sendable, Equatable {
        let number: Int
        let time: Duration
        let eventType: String
    }

    private let origin: Duration
    private let gap: Duration
    private let end: Duration?
    private let pause: Range<Duration>?
    private let eventTypes: [String]
    private var generator: SeededGenerator
    private var number: Int
    /// The next event; nil after the last.
    private(set) var next: Event?

    /// - Parameters:
    ///   - origin: each gap begins a whole number of gaps before or after this time.
    ///   - gap: above zero.
    ///   - end: no event comes at this time or later; nil for endless events.
    ///   - pause: no event comes in it, because the provider is down.
    ///   - eventTypes: each event gets one at random.
    init(
        origin: Duration, gap: Duration, end: Duration?, pause: Range<Duration>?, eventTypes: [String], seed: UInt64
    ) {
        self.origin = origin
        self.gap = gap
        self.end = end
        self.pause = pause
        self.eventTypes = eventTypes
        generator = SeededGenerator(seed: seed)
        number = -Int(origin / gap)
        next = made()
    }

    /// The next event up to `now`; nil when it comes later.
    mutating func take(until now: Duration) -> Event? {
        guard let event = next, event.time <= now else { return nil }
        next = made()
        return event
    }

    private mutating func made() -> Event? {
        while true {
            let time = origin + gap * (Double(number) + generator.fraction())
            let eventType = eventTypes[Int(generator.next() % UInt64(eventTypes.count))]
            if let end, time >= end { return nil }
            defer { number += 1 }
            if pause?.contains(time) ?? false { continue }
            return Event(number: number, time: time, eventType: eventType)
        }
    }
}
