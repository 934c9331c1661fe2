import ArgumentParser
import DatabaseTools
import DeliveryQueue
import DeliveryWorker
import Foundation
import ProviderAPI

/// `redeliver database backup`.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies the database to a new file, also while the daemon works on it.",
        discussion: """
            The copy is one file (mode 0600) with the state of one moment. It is verified before it gets its name. It holds \
            the bodies of failed deliveries, which are people's identity data.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    @Argument(help: ArgumentHelp("The file to write; it must not exist.", valueName: "file"), completion: .file())
    var file: String

    func run() async throws {
        try await Exit.onError {
            let (source, target) = (try database.path(), URL(fileURLWithPath: file).path)
            let facts = try await cancelledBySignals {
                let reader = try QueueReader(path: source)
                defer { try? reader.close() }
                return try await reader.backUp(to: target)
            }
            let report = BackupReport(contents: facts, file: target, now: WallClock.system.now)
            try output.print(report) { _ in report.text }
            await note(in: source)
        }
    }

    /// A backup without this note is complete too: a user who may only read the database can make one.
    private func note(in database: String) async {
        do throws(StoreError) {
            let store = try QueueStore.forOperator(path: database, now: WallClock.system.now)
            defer { try? store.close() }
            try await store.noteBackup(at: WallClock.system.now)
        } catch {
            Note.print("the backup is complete, but the metrics will not show it: \(error)")
        }
    }
}

/// What `redeliver database backup` prints.
struct BackupReport: JSONReport {
    let contents: CopyFacts
    let file: String
    let now: Timestamp

    var json: JSONObject { ["at": now, "file": file, "contents": contents.json] }

    var text: String {
        """
        backup written and verified: \(Printable.text(file))
          \(contents.text(at: now))
        """
    }
}

/// What is in a copy of the database.
extension CopyFacts {
    /// As a member of the reports of `backup` and `restore`.
    var json: JSONObject {
        ["bytes": bytes, "schema_version": schemaVersion, "deliveries": deliveries, "open": open, "newest": newest]
    }

    /// One line.
    func text(at now: Timestamp) -> String {
        """
        \(bytes) bytes, schema \(schemaVersion), \(deliveries) deliveries, \(open) of them open; \
        \(newest.map { "newest change \(TimeText.full($0, at: now))" } ?? "no changes in it")
        """
    }
}
