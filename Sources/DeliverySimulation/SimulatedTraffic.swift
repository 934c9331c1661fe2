/// When fresh events come: one every `gap`, each moved within its gap by chance. Endless, unless it is told to stop.
struct SimulatedTraffic: Sendable {
    /// A fresh event: its number, and when its delivery is tried.
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
    /// The next event; nil when there is none any more.
    private(set) var next: Event?

    /// - Parameters:
    ///   - origin: the moment around which the gaps lie: each begins a whole number of gaps before or after it.
    ///   - gap: above zero.
    ///   - end: no event comes then or later; nil: they never end.
    ///   - pause: no event comes in it, because the provider is down.
    ///   - eventTypes: one of them by chance for each event.
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

    /// The next event that comes by `now`; nil when the next one comes later.
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
