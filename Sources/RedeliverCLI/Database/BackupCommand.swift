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
            let report = BackupReport(facts, file: target, at: WallClock.system.now)
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
struct BackupReport: Encodable {
    let at: Double
    let file: String
    let contents: CopyReport

    init(_ facts: CopyFacts, file: String, at now: Timestamp) {
        at = now.seconds
        self.file = file
        contents = CopyReport(facts)
    }

    var text: String {
        """
        backup written and verified: \(Printable.text(file))
          \(contents.text(at: Timestamp(milliseconds: Int64(at * 1_000))))
        """
    }
}

/// What is in a copy of the database.
struct CopyReport: Encodable {
    let bytes: Int64
    let schemaVersion: Int
    let deliveries: Int
    let open: Int
    let newest: Double?

    init(_ facts: CopyFacts) {
        bytes = facts.bytes
        schemaVersion = facts.schemaVersion
        deliveries = facts.deliveries
        open = facts.open
        newest = facts.newest?.seconds
    }

    /// One line.
    func text(at now: Timestamp) -> String {
        let upTo = newest.map { TimeText.full(Timestamp(milliseconds: Int64($0 * 1_000)), at: now) }
        return """
            \(bytes) bytes, schema \(schemaVersion), \(deliveries) deliveries, \(open) of them open; \
            \(upTo.map { "newest change \($0)" } ?? "no changes in it")
            """
    }
}
