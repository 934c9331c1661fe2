import DeliveryQueue

/// Random numbers that a seed repeats.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var source: Jitter

    package init(seed: UInt64) {
        source = Jitter(seed: seed)
    }

    package mutating func next() -> UInt64 { source.next() }

    /// At least 0 and below 1.
    package mutating func fraction() -> Double {
        Double(next() >> 11) / Double(1 << 53 as UInt64)
    }
}
