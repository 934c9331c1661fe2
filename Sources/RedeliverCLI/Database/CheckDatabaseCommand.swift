import ArgumentParser
import DatabaseTools
import DeliveryQueue
import DeliveryWorker
import ProviderAPI

/// `redeliver database check`.
struct CheckDatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Examines the whole database; exits with 74 if it has a fault.",
        discussion: """
            Checks structure and indexes, references, settings, schema, the hash of each stored body, and the states of \
            all deliveries. It only reads, also while the daemon runs, and takes about 20 s per million deliveries.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Exit.onError {
            let path = try database.path()
            let reader = try QueueReader.ofAnySchema(path: path)
            defer { try? reader.close() }
            let report = CheckReport(reader.check(), database: path, at: WallClock.system.now)
            try output.print(report) { report.text(on: $0) }
            if !report.sound { throw Exit.storage }
        }
    }
}

/// What `redeliver database check` prints.
struct CheckReport: Encodable {
    struct Part: Encodable {
        let name: String
        let examined: Int?
        let faultCount: Int
        /// The first faults.
        let faults: [String]
        let advice: String?
    }

    let at: Double
    let database: String
    let sound: Bool
    let parts: [Part]

    init(_ parts: [CheckPart], database: String, at now: Timestamp) {
        at = now.seconds
        self.database = database
        sound = parts.allSatisfy { $0.count == 0 }
        self.parts = parts.map { part in
            Part(
                name: part.name.rawValue, examined: part.examined, faultCount: part.count, faults: part.faults,
                advice: part.count == 0 ? nil : part.name.advice)
        }
    }

    func text(on terminal: Terminal) -> String {
        let table = Table(
            ["part", "examined", "faults"],
            parts.map { part in
                [
                    Cell(part.name), Cell(ifAny: part.examined.map(String.init)),
                    Cell("\(part.faultCount)", style: part.faultCount == 0 ? .good : .bad),
                ]
            })
        let verdict =
            sound ? terminal.paint("sound", .good) : terminal.paint("not sound", .bad)
        return ([table.text(on: terminal)] + parts.compactMap(faultText) + ["\(Printable.text(database)): \(verdict)"])
            .joined(separator: "\n\n")
    }

    private func faultText(_ part: Part) -> String? {
        guard let advice = part.advice else { return nil }
        let more = part.faultCount - part.faults.count
        let lines = part.faults.map { "  \(Printable.text($0))" } + (more > 0 ? ["  … and \(more) more"] : [])
        return (["\(part.name):"] + lines + ["  to do: \(advice)"]).joined(separator: "\n")
    }
}

extension CheckPart.Name {
    fileprivate var advice: String {
        switch self {
        case .structure, .references:
            "stop the daemon, copy the files, restore a backup; look for the cause in the kernel's log and on the disk"
        case .settings:
            "another program changed them; start the daemon once (auto_vacuum needs a VACUUM while it is stopped)"
        case .schema: "run the redeliver version that wrote it, or start the daemon of this program"
        case .bodies:
            "a damaged body is never sent, and its delivery dies as rejected; restore a backup from before the damage"
        case .states: "send the lines above to the developers, and restore an older backup"
        }
    }
}
