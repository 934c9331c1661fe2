import ChaosSimulation
import Foundation
import Testing

/// The worker in virtual time while everything goes wrong, from one seed: provider, receivers, clock, kills between any
/// two steps, operators, reloads. What must hold is checked after each start and at the end; see `ChaosInvariants` and
/// `ChaosTruth.judge`.
@Suite("What a seed cannot break", .serialized) struct ChaosSimulationTests {
    /// Seeds that broke a promise once, and what they found.
    static let knownBadSeeds: [(seed: UInt64, found: Comment)] = [
        (48, "a clock that was a year back let a delivery be pruned, read again and sent again"),
        (52, "a retry's failure behind what ended its delivery on a page was sent as an event of its own"),
        (667, "a clock that drifted by ten seconds hid whose a retry's failure was"),
        (772, "an answer that came when its call was long given up was taken for one that uses an attempt"),
        (889, "what a clock an hour ahead had made of a retry's failure was to end as well"),
        (1251, "a page that was read by a wrong clock, and read again, was to be stored at once"),
        (2442, "a start by a clock a year ahead settled a call before an answer had told the time"),
        (4883, "as 889, with a log that is read newest first"),
        (7589, "a success was forgotten that had been read before its failure"),
        (9115, "a call that was first given up and then shown was not to cast doubt on names"),
    ]

    private func run(_ seed: UInt64, days: Int = 3) async throws -> ChaosRun.Report {
        try await ChaosRun(ChaosPlan(seed: seed, days: days)).run()
    }

    /// A few; `make prove` runs 300 with `chaos-simulation`.
    @Test func `nothing is lost, doubled or stuck in three days in which everything goes wrong, whatever the seed`()
        async throws
    {
        var sum = ChaosSum()
        try await ChaosRun.runs(from: 1, count: 10, days: 3, atATime: 2) { report in
            sum.add(report)
            if report.violation != nil { Issue.record("\(report.failure)") }
        }
        #expect(sum.seeds == 10)
        #expect(sum.isEventful, "\(sum)")
    }

    @Test(arguments: knownBadSeeds.prefix(Proofs.areLong ? .max : 3).map(\.seed))
    func `a seed that broke a promise once does so no more`(
        seed: UInt64
    ) async throws {
        let report = try await run(seed)
        #expect(report.violation == nil, "\(report.failure)")
    }

    @Test(arguments: Proofs.areLong ? [3, 5, 48] : [3]) func `the same seed gives the same run, step by step`(
        seed: UInt64
    ) async throws {
        let (first, second) = try await (run(seed), run(seed))
        #expect(first.kills > 0 && first.calls > 0)
        #expect(first.trace.lines == second.trace.lines)
        #expect(first.trace.digest == second.trace.digest)
        let other = try await run(seed + 1)
        #expect(other.trace.digest != first.trace.digest)
    }
}
