/// The generator behind a policy's jitter. The delivery and the attempt number seed it, so a schedule can be explained
/// and stays the same after a restart. SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
/// 2014) over an FNV-1a hash; its quality is ample for spreading load.
package struct Jitter: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(endpointID: String, taskID: String, cycle: Int, attempt: Int) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in "\(endpointID)\u{0}\(taskID)\u{0}\(cycle)\u{0}\(attempt)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        state = hash
    }

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
