import Foundation
import HostileInput

/// Starts the children, ends those that hang, and adds up their reports.
struct FuzzSupervisor {
    let command: FuzzCommand

    private struct Child {
        let process: Process
        let journal: FuzzJournal
        let output: URL
        var last = FuzzJournal.Entry(target: 0, number: .max)
        var since = ContinuousClock.now
        var isStuck = false
    }

    /// - Returns: whether no input did harm.
    func run() async throws -> Bool {
        let folder = FileManager.default.temporaryDirectory.appending(path: "redeliver-fuzz-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let begun = ContinuousClock.now
        var children = try (0..<command.jobs).map { try start($0, in: folder) }
        while children.contains(where: \.process.isRunning) {
            try await Task.sleep(for: .milliseconds(100))
            for index in children.indices { watch(&children[index]) }
        }
        let harm = children.compactMap(death)
        return report(children, harm, took: (ContinuousClock.now - begun) / .seconds(1))
    }

    private func start(_ job: Int, in folder: URL) throws -> Child {
        let journal = folder.appending(path: "journal-\(job)").path
        let output = folder.appending(path: "output-\(job)")
        try Data().write(to: output)
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        process.arguments =
            [
                "--inputs", "\(command.inputs)", "--seed", "\(command.seed)", "--found", command.found, "--jobs",
                "\(command.jobs)", "--job", "\(job)", "--journal", journal,
            ] + (command.target.map { ["--target", $0] } ?? [])
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardInput = FileHandle.nullDevice
        let child = Child(process: process, journal: try FuzzJournal(path: journal), output: output)
        try process.run()
        return child
    }

    /// Kills a child that works at one input for longer than the limit.
    private func watch(_ child: inout Child) {
        let current = child.journal.current
        if current != child.last {
            (child.last, child.since) = (current, .now)
        } else if child.process.isRunning, ContinuousClock.now - child.since > .seconds(command.limit) {
            child.isStuck = true
            kill(child.process.processIdentifier, SIGKILL)
        }
    }

    /// A sentence about the input at which a child died; nil when it ended well.
    private func death(of child: Child) -> String? {
        child.process.waitUntilExit()
        guard child.process.terminationReason == .uncaughtSignal || child.process.terminationStatus != 0 else {
            return nil
        }
        let entry = child.journal.current
        let target = FuzzTarget.all[min(entry.target, FuzzTarget.all.count - 1)]
        let input = target.input(seed: command.seed, number: entry.number)
        let file = FoundInput.save(
            input, target: target.name, seed: command.seed, number: entry.number, in: command.found)
        let what =
            child.isStuck ? "took longer than \(command.limit) s" : "died of signal \(child.process.terminationStatus)"
        return "\(target.name): seed \(command.seed) input \(entry.number) \(what): \(file)"
    }

    private func report(_ children: [Child], _ harm: [String], took: Double) -> Bool {
        let lines = children.flatMap {
            (try? String(contentsOf: $0.output, encoding: .utf8))?.split(separator: "\n") ?? []
        }
        let reports = lines.compactMap { try? JSONDecoder().decode(FuzzReport.self, from: Data($0.utf8)) }
        for target in command.wanted {
            let own = reports.filter { $0.target == target.name }
            let slowest = own.max { $0.slowest < $1.slowest }
            FuzzReport.say(
                "\(target.name): \(own.map(\.inputs).reduce(0, +)) inputs in \(rounded(own.map(\.seconds).max())) s, the slowest"
                    + " \(rounded(slowest?.slowest)) s (\(slowest?.slowestNumber ?? 0))")
            for violation in own.flatMap(\.violations) {
                FuzzReport.say("  seed \(command.seed) input \(violation)")
            }
        }
        for death in harm { FuzzReport.say(death) }
        let sum = reports.map(\.inputs).reduce(0, +)
        let isGood = harm.isEmpty && reports.allSatisfy(\.violations.isEmpty)
        FuzzReport.say(
            "\(sum) inputs in \(rounded(took)) s, seed \(command.seed): \(isGood ? "none did harm" : "HARM WAS DONE")")
        return isGood
    }

    private func rounded(_ seconds: Double?) -> String {
        String(format: "%.3f", seconds ?? 0)
    }
}
