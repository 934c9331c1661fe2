import ArgumentParser
import DatabaseTools
import DeliveryQueue
import DeliveryWorker
import Foundation
import ProviderAPI
import RedeliverConfiguration

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `redeliver database restore`.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Replaces the database by a backup; without --confirm it only shows what it would do.",
        discussion: """
            Stop the daemon first. The present database is kept beside the new one under a name that is printed. Deliveries \
            that were or may have been retried since the backup wait for the provider's log before they are sent again.
            """
    )

    @OptionGroup var configuration: ConfigurationOption
    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("The backup file.", valueName: "file"), completion: .file())
    var file: String

    @Flag(help: "Restore, instead of a dry run.")
    var confirm = false

    func run() async throws {
        // As for the daemon: files are for the owner and the group only.
        umask(0o027)
        try await Exit.onError {
            let settings = try configuration.load()
            let restore = DatabaseRestore(
                of: URL(fileURLWithPath: file).path, to: settings.database,
                rules: settings.rules)
            let (now, isConfirmed) = (WallClock.system.now, confirm)
            let done = try await cancelledBySignals {
                isConfirmed ? try await restore.run(at: now) : try await restore.rehearse(at: now)
            }
            let report = RestoreReport(
                report: done, file: file, database: settings.database,
                daemon: DaemonPresence.look(atDatabase: settings.database), isDone: confirm, now: now)
            try output.print(report) { _ in report.text }
        }
    }
}

/// What `redeliver database restore` prints.
struct RestoreReport: JSONReport {
    let report: DatabaseRestore.Report
    let file: String
    let database: String
    /// The daemon that must be stopped first.
    let daemon: DaemonPresence
    let isDone: Bool
    let now: Timestamp

    private var summary: RestoreSummary { report.summary }

    private var daemonRuns: Bool {
        if case .running = daemon { true } else { false }
    }

    private var daemonProcess: Int? {
        if case .running(let process) = daemon { process } else { nil }
    }

    var json: JSONObject {
        [
            "at": now, "restored": isDone, "file": file, "database": database, "backup": report.backup.json,
            // The path of the replaced database; absent when there was none, or when nothing was done.
            "kept_as": report.keptAs,
            // Whether the replaced database shows the calls since the backup.
            "calls_known": summary.knowsCalls,
            "calls": summary.calls, "new_deliveries": summary.newDeliveries, "delivered": summary.delivered,
            "awaiting": summary.awaiting, "daemon_process": daemonProcess, "daemon_runs": daemonRuns,
        ]
    }

    var text: String {
        let lines = [
            "\(isDone ? "restored" : "would restore"): \(Printable.text(database)) from \(Printable.text(file))",
            "  \(report.backup.text(at: now))", "  \(callsText)", "  \(awaitingText)",
            keptText,
        ]
        return (lines + nextText).joined(separator: "\n")
    }

    private var callsText: String {
        summary.knowsCalls
            ? """
            since the backup: \(summary.calls) retry calls, \(summary.delivered) deliveries proven delivered, \
            \(summary.newDeliveries) new deliveries taken over
            """ : "the present database cannot be read, so every scheduled delivery counts as called since the backup"
    }

    private var awaitingText: String {
        "\(summary.awaiting) deliveries wait for the provider's log before they are sent again"
    }

    private var keptText: String {
        if let keptAs = report.keptAs { return "  the replaced database is kept as \(Printable.text(keptAs))" }
        return isDone ? "  there was no database to keep" : "  a present database would be kept beside it"
    }

    private var nextText: [String] {
        if isDone { return ["start the daemon now"] }
        let process = daemonProcess.map { " (process \($0))" } ?? ""
        return daemonRuns
            ? ["nothing was changed; stop the daemon\(process) first, then give --confirm"]
            : ["nothing was changed; give --confirm to restore"]
    }
}
