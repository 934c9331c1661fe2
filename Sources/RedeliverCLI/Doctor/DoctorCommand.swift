import ArgumentParser
import DeliveryWorker
import Doctor
import Foundation
import RedeliverConfiguration

/// `redeliver doctor`: whether this installation is healthy, on one page.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Says on one page whether this installation is healthy; exits with 1 if something is bad.",
        discussion: """
            Looks at the configuration, the database, the daemon, who may read the files, the metrics file, the provider \
            (one page of each endpoint's log is read, nothing is sent) and the free space. Every check is made even when \
            others fail.
            """
    )

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    @Flag(
        help: """
            First mend what is harmless to mend: make the metrics folder, remove a metrics file that a crash left half \
            written, let the group read the database's files.
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
            return .success(
                try WorkerConfiguration.load(
                    path: database.configuration.config, environment: ProcessInfo.processInfo.environment))
        } catch {
            return .failure(error)
        }
    }
}
