import DeliveryQueue
import DeliverySimulation
import DeliveryWorker
package import Foundation
import GRDB
import Logging

/// One seed's run: one worker after the other on one database, while everything goes wrong.
package struct ChaosRun: Sendable {
    /// The result of a run.
    package struct Report: Sendable {
        package var seed: UInt64
        package var violation: ChaosViolation?
        package var trace: ChaosTrace
        package var kills = 0
        package var starts = 0
        package var calls = 0
        package var repeats = 0
        package var deliveries = 0
    }

    let plan: ChaosPlan
    private let parent: URL

    package init(_ plan: ChaosPlan, in parent: URL = FileManager.default.temporaryDirectory) {
        self.plan = plan
        self.parent = parent
    }

    /// - Throws: only faults that break no promise of the worker, such as a folder that cannot be made.
    package func run() async throws -> Report {
        let folder = parent.appending(path: "redeliver-chaos-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let time = VirtualTime()
        let world = ChaosWorld(plan)
        let script = ChaosScript(plan: plan, world: world, time: time, folder: folder.path)
        var report = Report(seed: plan.seed, violation: nil, trace: ChaosTrace())
        do {
            try await withTaskExecutorPreference(time) { try await Self.play(script) }
            if time.strays != 1 {
                throw ChaosViolation(promise: "no job leaves the simulation", detail: "", time: time.now)
            }
        } catch let violation as ChaosViolation {
            report.violation = violation
        } catch {
            report.violation = ChaosViolation(promise: "no error is unexpected", detail: "\(error)", time: time.now)
        }
        return world.withTruth { [report] truth in
            var report = report
            (report.kills, report.starts) = (truth.kills, truth.starts)
            report.trace = truth.trace
            report.violation = report.violation ?? truth.violation
            (report.calls, report.repeats) = (truth.calls.count, truth.repeats)
            return report
        }
    }

    /// A function of its own, because the compiler crashes on it as a closure.
    private static func play(_ script: ChaosScript) async throws {
        var script = script
        try await script.play()
    }
}
