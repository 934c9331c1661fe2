import ArgumentParser
import Foundation

/// `chaos-simulation`: runs seeds, two at a time, and tells which of them break a promise.
@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos-simulation",
        abstract: "Runs the worker in virtual time while everything goes wrong, one run for each seed.")

    @Option(help: "Replay this seed with its whole trace.")
    var seed: UInt64?
    @Option(help: "How many seeds to run.")
    var seeds: UInt64 = 300
    @Option(help: "The first seed.")
    var from: UInt64 = 1
    @Option(help: "Simulated days of each run.")
    var days = 3
    @Option(help: "Runs at a time.")
    var jobs = 2

    func validate() throws {
        guard days >= 1, jobs >= 1, seeds >= 1 else { throw ValidationError("days, jobs and seeds are at least 1") }
    }

    func run() async throws {
        if let seed {
            let report = try await ChaosRun(ChaosPlan(seed: seed, days: days)).run()
            report.trace.lines.forEach { print($0) }
            print(report.summary)
            guard report.violation == nil else { throw ExitCode.failure }
            return
        }
        let began = ContinuousClock.now
        var sum = ChaosSum()
        try await ChaosRun.runs(from: from, count: seeds, days: days, atATime: jobs) { report in
            sum.add(report)
            if report.violation != nil { print(report.failure) }
            if sum.seeds % 500 == 0 { print("\(sum) in \(ContinuousClock.now - began)") }
        }
        print("\(sum) in \(ContinuousClock.now - began)")
        guard sum.failed.isEmpty else { throw ExitCode.failure }
        // Of a few seeds nothing can be said.
        guard sum.isEventful || seeds < 100 else {
            print("too little happened to prove anything")
            throw ExitCode.failure
        }
    }
}
