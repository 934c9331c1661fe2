/// Random numbers that a seed determines (SplitMix64), so that a failed round can be played again.
struct SeededLuck: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9e37_79b9_7f4a_7c15
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// Small numbers are as likely as large ones, so that the beginning of a run is hit often.
    mutating func small(upTo limit: Int) -> Int {
        let highest = Int.random(in: 1...limit, using: &self)
        return Int.random(in: 1...highest, using: &self)
    }
}
