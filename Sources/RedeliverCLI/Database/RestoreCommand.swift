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
                done, of: file, to: settings.database, daemon: DaemonPresence.look(atDatabase: settings.database),
                isDone: confirm, at: now)
            try output.print(report) { _ in report.text }
        }
    }
}

/// What `redeliver database restore` prints.
struct RestoreReport: Encodable {
    let at: Double
    let restored: Bool
    let file: String
    let database: String
    let backup: CopyReport
    /// The path of the replaced database; nil when there was none, or when nothing was done.
    let keptAs: String?
    /// Whether the replaced database shows the calls since the backup.
    let callsKnown: Bool
    let calls: Int
    let newDeliveries: Int
    let delivered: Int
    let awaiting: Int
    /// The daemon that must be stopped first.
    let daemonProcess: Int?
    let daemonRuns: Bool

    init(
        _ report: DatabaseRestore.Report, of file: String, to database: String, daemon: DaemonPresence, isDone: Bool,
        at now: Timestamp
    ) {
        at = now.seconds
        restored = isDone
        self.file = file
        self.database = database
        backup = CopyReport(report.backup)
        keptAs = report.keptAs
        callsKnown = report.summary.knowsCalls
        calls = report.summary.calls
        newDeliveries = report.summary.newDeliveries
        delivered = report.summary.delivered
        awaiting = report.summary.awaiting
        if case .running(let process) = daemon {
            (daemonRuns, daemonProcess) = (true, process)
        } else {
            (daemonRuns, daemonProcess) = (false, nil)
        }
    }

    var text: String {
        let lines = [
            "\(restored ? "restored" : "would restore"): \(Printable.text(database)) from \(Printable.text(file))",
            "  \(backup.text(at: Timestamp(milliseconds: Int64(at * 1_000))))", "  \(callsText)", "  \(awaitingText)",
            keptText,
        ]
        return (lines + nextText).joined(separator: "\n")
    }

    private var callsText: String {
        callsKnown
            ? """
            since the backup: \(calls) retry calls, \(delivered) deliveries proven delivered, \
            \(newDeliveries) new deliveries taken over
            """ : "the present database cannot be read, so every scheduled delivery counts as called since the backup"
    }

    private var awaitingText: String {
        "\(awaiting) deliveries wait for the provider's log before they are sent again"
    }

    private var keptText: String {
        if let keptAs { return "  the replaced database is kept as \(Printable.text(keptAs))" }
        return restored ? "  there was no database to keep" : "  a present database would be kept beside it"
    }

    private var nextText: [String] {
        if restored { return ["start the daemon now"] }
        let process = daemonProcess.map { " (process \($0))" } ?? ""
        return daemonRuns
            ? ["nothing was changed; stop the daemon\(process) first, then give --confirm"]
            : ["nothing was changed; give --confirm to restore"]
    }
}
