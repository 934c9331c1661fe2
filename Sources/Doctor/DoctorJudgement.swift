import DeliveryQueue
import DeliveryWorker
import ProviderAPI
import RedeliverConfiguration

/// Judges the facts. Pure: the same facts give the same findings.
package enum Doctor {
    /// One finding per check and endpoint, always in the same order. A check whose facts are missing is `unknown`.
    package static func judge(_ facts: DoctorFacts) -> [Finding] {
        [configuration(facts), cautions(facts)] + DatabaseJudgement.findings(facts) + [
            daemon(facts.daemon), FilesJudgement.finding(facts.files, facts.daemon), MetricsJudgement.finding(facts),
        ] + ProviderJudgement.findings(facts)
            + DiskFacts.Use.allCases.map { use in
                disk(use, facts.disks.first { $0.use == use })
            }
    }

    private static func configuration(_ facts: DoctorFacts) -> Finding {
        switch facts.configuration {
        case .success(let configuration):
            let count = configuration.endpoints.count
            return Finding("configuration", .ok, "no faults, \(count) endpoint\(count == 1 ? "" : "s")")
        case .failure(let error):
            let more = error.faults.count > 1 ? " (and \(error.faults.count - 1) more)" : ""
            return Finding(
                "configuration", .bad, (error.faults.first?.line(path: error.path) ?? error.path) + more,
                advice: "`redeliver check --config \(error.path)` prints every fault")
        }
    }

    /// What the configuration should be warned about, secrets above all.
    private static func cautions(_ facts: DoctorFacts) -> Finding {
        let name = "secrets and ids"
        guard case .success(let configuration) = facts.configuration else {
            return Finding(name, .unknown, "the configuration cannot be used")
        }
        guard let first = configuration.cautions.first else {
            return Finding(name, .ok, "no secret is open to every user, and no two ids are alike")
        }
        let more = configuration.cautions.count > 1 ? " (and \(configuration.cautions.count - 1) more)" : ""
        return Finding(
            name, .warning, "\(first.key): \(first.problem)\(more)", advice: "`redeliver check` prints all of them")
    }

    private static func daemon(_ presence: DaemonPresence?) -> Finding {
        switch presence {
        case .running(let process?): Finding("daemon", .ok, "runs as process \(process)")
        case .running(nil): Finding("daemon", .ok, "runs")
        case .absent:
            Finding(
                "daemon", .warning, "no daemon runs: nothing is polled or retried",
                advice: "start it, unless cron calls `redeliver run --once`")
        case .unknown(let cause):
            Finding(
                "daemon", .unknown, "the lock file cannot be read: \(cause)",
                advice: "run the doctor as a user of the database's group")
        case nil: Finding("daemon", .unknown, "no database is named")
        }
    }

    // MARK: - Disk

    /// Free bytes. Below `bad` the work stops soon, or no log is read any more; below `warning` somebody should look.
    private static func limits(_ facts: DiskFacts) -> (bad: Int64, warning: Int64) {
        switch facts.use {
        case .database: (facts.reserve, facts.reserve * 8)
        case .metrics: (1 << 20, 16 << 20)
        }
    }

    private static func disk(_ use: DiskFacts.Use, _ facts: DiskFacts?) -> Finding {
        let name = "disk \(use.rawValue)"
        guard let facts else { return Finding(name, .unknown, "the folder is not known") }
        if use == .database, let network = facts.network {
            return Finding(
                name, .bad, "\(facts.folder) is on \(network), a network file system, which the daemon refuses",
                advice: "move the database to a local disk of this machine")
        }
        guard let free = facts.freeBytes else {
            return Finding(name, .unknown, "the free space at \(facts.folder) cannot be read")
        }
        let found = "\(ByteText.of(free)) free at \(facts.folder)"
        if facts.freeFiles == 0 {
            return Finding(name, .bad, "no more files can be created at \(facts.folder)", advice: "remove files there")
        }
        let limits = limits(facts)
        if free < limits.bad { return Finding(name, .bad, found, advice: "free some space at once") }
        if free < limits.warning { return Finding(name, .warning, found, advice: "free some space soon") }
        return Finding(name, .ok, found)
    }
}
