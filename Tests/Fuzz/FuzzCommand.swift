import ArgumentParser
import DeliverySimulation
import Foundation
import HostileInput

/// `make fuzz`: feeds the readers of foreign input, and names each input that does harm by its seed and number.
@main
struct FuzzCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver-fuzz",
        abstract: "Feeds redeliver's readers with hostile input that a seed repeats.",
        discussion: """
            Works in child processes. Writes to --found each input that crashes or hangs a child, or breaks a rule. --input \
            repeats a single input in this process.
            """
    )

    @Option(help: "Number of inputs, shared among the targets.")
    var inputs = 20_000

    @Option(help: "The same seed makes the same inputs.")
    var seed: UInt64 = 1

    @Option(help: "Only this target: \(FuzzTarget.all.map(\.name).joined(separator: ", ")).")
    var target: String?

    @Option(help: "Prints and repeats only the input of --target with this number.")
    var input: UInt64?

    @Option(help: "Folder for inputs that did harm.")
    var found = ".build/fuzz"

    @Option(help: "Seconds that one input may take.")
    var limit = 20.0

    @Option(help: "Number of child processes.")
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: .hidden)
    var job: Int?

    @Option(help: .hidden)
    var journal: String?

    func validate() throws {
        if jobs < 1 || inputs < 1 { throw ValidationError("--jobs and --inputs must be at least 1") }
        if input != nil, target == nil { throw ValidationError("--input needs --target") }
        if wanted.isEmpty { throw ValidationError("there is no target '\(target ?? "")'") }
    }

    func run() async throws {
        if let input { return try await repeated(input) }
        if let job, let journal {
            let work = FuzzJob(
                journal: try FuzzJournal(path: journal), seed: seed, offset: job, stride: jobs, found: found)
            for target in wanted { FuzzReport.write(await work.run(target, inputs: count(of: target))) }
            return
        }
        let supervisor = FuzzSupervisor(command: self)
        guard try await supervisor.run() else { throw ExitCode.failure }
    }

    /// The number of inputs for a target.
    func count(of target: FuzzTarget) -> Int {
        self.target == nil ? max(1, inputs * target.share / FuzzTarget.all.map(\.share).reduce(0, +)) : inputs
    }

    var wanted: [FuzzTarget] { FuzzTarget.all.filter { target == nil || $0.name == target } }

    private func repeated(_ number: UInt64) async throws {
        for target in wanted {
            let bytes = target.input(seed: seed, number: number)
            FuzzReport.say(
                "\(target.name) \(number): \(bytes.count) bytes\n\(String(decoding: bytes.prefix(4_000), as: UTF8.self))"
            )
            try await target.check(bytes)
            FuzzReport.say("nothing is wrong with it")
        }
    }
}
