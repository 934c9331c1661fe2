package import Foundation

extension ChaosRun.Report {
    /// One line.
    package var summary: String {
        """
        seed \(seed): \(violation.map { "VIOLATION \($0)" } ?? "every promise held"); \(starts) starts, \(kills) kills, \
        \(calls) calls, \(repeats) repeats, trace \(String(trace.digest, radix: 16))
        """
    }

    /// Everything that is needed to understand a failure and to repeat it.
    package var failure: String {
        ([summary] + trace.lines.suffix(40) + ["replay: make simulate SEED=\(seed)"]).joined(separator: "\n")
    }
}

/// The results of many runs.
package struct ChaosSum: Sendable, CustomStringConvertible {
    package private(set) var seeds = 0
    /// The seeds that broke a promise.
    package private(set) var failed: [UInt64] = []
    package private(set) var kills = 0
    package private(set) var calls = 0
    package private(set) var repeats = 0

    package init() {}

    package mutating func add(_ report: ChaosRun.Report) {
        seeds += 1
        kills += report.kills
        calls += report.calls
        repeats += report.repeats
        if report.violation != nil { failed.append(report.seed) }
    }

    /// Whether much happened: a simulation in which little happens proves little.
    package var isEventful: Bool {
        kills > seeds && calls > 10 * seeds && repeats > seeds / 10
    }

    package var description: String {
        "\(seeds) seeds, \(failed.count) failed \(failed.sorted()), \(kills) kills, \(calls) calls, \(repeats) repeats"
    }
}

extension ChaosRun {
    /// Runs seeds, some at a time, each on a thread of its own.
    ///
    /// - Parameter take: gets each report, in no certain order.
    package static func runs(
        from first: UInt64, count: UInt64, days: Int, atATime jobs: Int, in parent: URL? = nil,
        _ take: (Report) -> Void
    ) async throws {
        let parent = parent ?? FileManager.default.temporaryDirectory
        try await withThrowingTaskGroup(of: Report.self) { group in
            for number in 0..<count {
                if number >= jobs, let report = try await group.next() { take(report) }
                group.addTask { try await ChaosRun(ChaosPlan(seed: first + number, days: days), in: parent).run() }
            }
            for try await report in group { take(report) }
        }
    }
}
