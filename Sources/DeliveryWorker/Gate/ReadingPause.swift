package import DeliveryQueue

/// A time in which the provider wants no log to be read, because it answered 429 to such a request. It is as long as a
/// pause of calls would be. Calls and their rate are not its concern: they wait because no log is read.
struct ReadingPause: Sendable, Equatable {
    private var pause: GatePause?
    private var memory = GateMemory()

    /// - Parameter retryAfter: nil when the provider names no time.
    mutating func begin(for retryAfter: Duration?, at now: Timestamp) {
        let inForce = left(at: now) > .zero ? pause : nil
        if inForce == nil { memory.forgetIfLongAgo(now) }
        let length = memory.pause(asked: retryAfter, inForce: inForce != nil)
        let pause = GatePause(reason: .throttled, until: now + length, endsInRead: false).joined(inForce)
        memory.reopen(at: pause.until)
        self.pause = pause
    }

    /// A page was read: the next pause is as short as the first.
    mutating func answered() { memory.forget() }

    /// Zero while logs may be read.
    func left(at now: Timestamp) -> Duration { pause?.left(at: now) ?? .zero }
}

extension CallGate {
    /// A request for a page of a log was answered with 429: none follows for a while, of whichever endpoint. Calls may
    /// begin as before; they wait because no reading is fresh.
    package mutating func pauseReading(for retryAfter: Duration?, at now: Timestamp) {
        reading.begin(for: retryAfter, at: now)
    }

    /// For how long no log is to be read, whatever the state; nil: logs may be read.
    package func readingPause(at now: Timestamp) -> Duration? {
        let left = reading.left(at: now)
        return left > .zero ? left : nil
    }
}
