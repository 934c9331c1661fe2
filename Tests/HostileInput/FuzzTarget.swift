import DeliverySimulation

/// A reader of foreign input: how its inputs are made, and what must hold for each.
package struct FuzzTarget: Sendable {
    package let name: String
    /// Its part of the inputs in a run over all targets, beside the parts of the others.
    package let share: Int
    let samples: [[UInt8]]
    let make: @Sendable (inout SeededGenerator) -> [UInt8]
    /// Feeds the reader with an input. Throws ``Violation`` when something does not hold that must.
    package let check: @Sendable ([UInt8]) async throws -> Void

    package static let all: [FuzzTarget] = [
        .page, .json, .rows, .paging, .times, .answers, .signature, .configuration, .durations, .packed, .signed,
        .environment, .secret, .printable,
    ]

    /// A sample or a made input, often mutated. The same seed and number give the same input, whatever was made before.
    package func input(seed: UInt64, number: UInt64) -> [UInt8] {
        let own = name.utf8.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        var random = SeededGenerator(seed: (seed &* 0x2545_F491_4F6C_DD1D) ^ own ^ (number &* 0x9E37_79B9_7F4A_7C15))
        var input = Hostile.chance(1, in: 4, &random) ? Hostile.pick(samples, &random) : make(&random)
        if Hostile.chance(3, in: 5, &random) { Hostile.mutate(&input, with: samples, &random) }
        return input
    }
}

/// A rule that does not hold, in a sentence.
package struct Violation: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// - Throws: a violation unless `condition` holds.
    static func unless(_ condition: Bool, _ description: @autoclosure () -> String) throws {
        if !condition { throw Violation(description()) }
    }
}
