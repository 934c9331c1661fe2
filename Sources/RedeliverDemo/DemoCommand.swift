import ArgumentParser
import Foundation

/// `make demo`: shows over real HTTP how failed deliveries arrive. Knows the two programs only by their command lines,
/// and trusts the sandbox's receiver, not the worker.
@main
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver-demo",
        abstract: "Runs redeliver against provider-sandbox until every failed delivery has arrived."
    )

    @Option(help: "Failed deliveries at the start.")
    var failures = 300

    @Option(help: "Seconds after which the demo gives up.")
    var timeout = 55

    @Option(help: "Folder with the built programs. (default: the folder of this program)")
    var programs: String?

    func run() async throws {
        let folder = try DemoFolder()
        defer { folder.remove() }
        let programs = programs.map { URL(filePath: $0) } ?? Program.ownFolder
        let sandbox = try Sandbox(
            program: programs.appending(path: "provider-sandbox"), failures: failures, folder: folder)
        defer { sandbox.stop() }
        try folder.writeConfiguration(for: sandbox.address)
        Screen.say(
            """
            provider-sandbox plays the provider at \(sandbox.address.provider) and the customers' receivers.
            \(failures) deliveries have failed. One of the two receivers is down for the first 15 s. When redeliver notices, \
            it holds that receiver's deliveries, tries one of them now and then, and sends the rest when one arrives.
            """)

        let redeliver = Redeliver(program: programs.appending(path: "redeliver"), folder: folder)
        let daemon = try redeliver.start()
        defer { daemon.stop() }
        let allDelivered = try await watch(redeliver, daemon)
        daemon.stop()
        Screen.say(try redeliver.statusText() + "\n")
        try showMetrics(folder)
        try Query.showAll(database: folder.database)
        let verdict = Verdict(try await sandbox.ledger(), expected: failures, daemonSaysAll: allDelivered)
        Screen.say(verdict.text)
        guard verdict.isGood else {
            Screen.say("The daemon's log:\n" + folder.daemonLog.suffix(4_000))
            throw ExitCode.failure
        }
    }

    /// Shows the progress until the worker says that all deliveries have arrived.
    ///
    /// - Returns: false when the time was over or the daemon ended.
    private func watch(_ redeliver: Redeliver, _ daemon: Program) async throws -> Bool {
        let line = ProgressLine()
        let clock = ContinuousClock()
        let start = clock.now
        while clock.now - start < .seconds(timeout), daemon.isRunning {
            try await Task.sleep(for: .milliseconds(500))
            guard let status = try? redeliver.status() else { continue }
            let seconds = Int((clock.now - start).components.seconds)
            line.show(status, after: seconds)
            if status.totals.delivered >= failures, status.totals.open == 0 {
                line.end()
                return true
            }
        }
        line.end()
        return false
    }

    private func showMetrics(_ folder: DemoFolder) throws {
        let wanted = [
            "redeliver_retry_requests_total", "redeliver_unconfirmed_total", "redeliver_trials_total",
            "redeliver_recovery_duration_seconds_count", "redeliver_deliveries_finalized_total",
            "redeliver_log_entries_total",
        ]
        let lines = try String(contentsOf: folder.metrics, encoding: .utf8).split(separator: "\n").filter { line in
            wanted.contains { line.hasPrefix($0) } && !line.hasSuffix(" 0")
        }
        Screen.say("From the metrics file:\n  " + lines.joined(separator: "\n  ") + "\n")
    }
}
