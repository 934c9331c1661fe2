import ArgumentParser
import DeliveryWorker
import Doctor
import RedeliverConfiguration

/// `redeliver doctor`.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Shows on one page whether this installation is healthy; exits with 1 if a check is bad.",
        discussion: """
            Checks the configuration, the database, the daemon, the files' permissions, the metrics file, the provider (it \
            reads one page of each endpoint's log and sends nothing) and the free space. A failed check does not stop the \
            others.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    @Flag(
        help: """
            First repair what is safe to repair: create the metrics folder, remove a half-written metrics file that a crash \
            left, let the group read the database's files.
            """)
    var fix = false

    func run() async throws {
        try await Exit.onError {
            let probe = DoctorProbe(configuration: loaded(), database: database.database)
            let repairs = fix ? DoctorRepair(probe, at: WallClock.system.now).run() : []
            let facts = await probe.facts()
            let report = DoctorReport(Doctor.judge(facts), repairs: repairs, at: facts.now)
            try output.print(report) { report.text(on: $0) }
            if !report.healthy { throw ExitCode.failure }
        }
    }

    private func loaded() -> Result<WorkerConfiguration, ConfigurationError> {
        do throws(ConfigurationError) {
            return .success(try database.configuration.load())
        } catch {
            return .failure(error)
        }
    }
}
