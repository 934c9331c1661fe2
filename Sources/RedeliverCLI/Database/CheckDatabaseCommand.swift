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
            let report = CheckReport(parts: reader.check(), database: path, now: WallClock.system.now)
            try output.print(report) { report.text(on: $0) }
            if !report.sound { throw Exit.storage }
        }
    }
}

/// What `redeliver database check` prints.
struct CheckReport: JSONReport {
    let parts: [CheckPart]
    let database: String
    let now: Timestamp

    var sound: Bool { parts.allSatisfy { $0.count == 0 } }

    var json: JSONObject {
        ["at": now, "database": database, "sound": sound, "parts": parts.map(\.json)]
    }

    func text(on terminal: Terminal) -> String {
        let table = Table(
            ["part", "examined", "faults"],
            parts.map { part in
                [
                    Cell(part.name.rawValue), Cell(ifAny: part.examined.map(String.init)),
                    Cell("\(part.count)", style: part.count == 0 ? .good : .bad),
                ]
            })
        let verdict =
            sound ? terminal.paint("sound", .good) : terminal.paint("not sound", .bad)
        return ([table.text(on: terminal)] + parts.compactMap(faultText) + ["\(Printable.text(database)): \(verdict)"])
            .joined(separator: "\n\n")
    }

    private func faultText(_ part: CheckPart) -> String? {
        guard let advice = part.advice else { return nil }
        let more = part.count - part.faults.count
        let lines = part.faults.map { "  \(Printable.text($0))" } + (more > 0 ? ["  … and \(more) more"] : [])
        return (["\(part.name.rawValue):"] + lines + ["  to do: \(advice)"]).joined(separator: "\n")
    }
}

extension CheckPart {
    fileprivate var json: JSONObject {
        // `faults` has the first ones.
        ["name": name.rawValue, "examined": examined, "fault_count": count, "faults": faults, "advice": advice]
    }

    /// What to do about its faults; nil: it has none.
    var advice: String? { count == 0 ? nil : name.advice }
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
