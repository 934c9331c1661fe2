import DeliveryQueue

/// Judges the facts about the metrics file.
enum MetricsJudgement {
    private static let name = "metrics file"
    /// The file may be late by this much.
    private static let grace = Duration.seconds(30)
    /// A temporary file that is older belongs to a writer that died.
    private static let leftoverAge = Duration.seconds(60)

    static func finding(_ facts: DoctorFacts) -> Finding {
        guard let metrics = facts.metrics else { return Finding(name, .unknown, "the configuration cannot be used") }
        guard let folder = metrics.folder else {
            return Finding(
                name, .bad, "the folder of \(metrics.path) does not exist",
                advice: "`redeliver doctor --fix` creates it; its owner must be the daemon's user")
        }
        let opinions = [writable(folder, facts), age(metrics, facts), leftover(metrics, facts)].compactMap { $0 }
        return Finding.worst(opinions) ?? Finding(name, .ok, "written \(seconds(since: metrics.file, facts)) s ago")
    }

    /// By the permission bits for the database's owner; without a database file, for this user.
    private static func writable(_ folder: FileFacts, _ facts: DoctorFacts) -> Finding? {
        guard folder.isFolder else {
            return Finding(name, .bad, "\(folder.path) is not a folder", advice: "correct `metrics.textfile`")
        }
        let owner = facts.files?.main
        let mayOwner = owner.map { folder.isWritable(byUser: $0.user, group: $0.group) } ?? folder.isWritable
        guard !mayOwner else { return nil }
        return Finding(
            name, .bad, "\(folder.path) (mode \(folder.modeText)) cannot be written by the database's owner",
            advice: "give the folder to the daemon's user, or its group the right to write")
    }

    private static func age(_ metrics: MetricsFacts, _ facts: DoctorFacts) -> Finding? {
        var isRunning = false
        if case .running = facts.daemon { isRunning = true }
        guard let file = metrics.file else {
            return Finding(
                name, isRunning ? .bad : .warning, "\(metrics.path) does not exist",
                advice: isRunning ? "look into the daemon's log" : "the daemon writes it when it runs")
        }
        guard facts.now - file.modified > metrics.interval * 3 + grace else { return nil }
        return Finding(
            name, isRunning ? .bad : .warning,
            "\(metrics.path) was written \(seconds(since: file, facts)) s ago, not every \(metrics.interval.inSeconds) s",
            advice: isRunning
                ? "the daemon hangs or cannot write the file; look into its log" : "the daemon writes it when it runs")
    }

    private static func leftover(_ metrics: MetricsFacts, _ facts: DoctorFacts) -> Finding? {
        guard let leftover = metrics.leftovers.first(where: { isLeft($0, at: facts.now) }) else { return nil }
        return Finding(
            name, .warning, "\(leftover.path) was left by a crash", advice: "`redeliver doctor --fix` removes it")
    }

    /// Whether a crash left the file. A young one may belong to a running daemon.
    static func isLeft(_ leftover: FileFacts, at now: Timestamp) -> Bool {
        !leftover.isFolder && now - leftover.modified > leftoverAge
    }

    private static func seconds(since file: FileFacts?, _ facts: DoctorFacts) -> Int {
        Int((facts.now - (file?.modified ?? facts.now)).inSeconds.rounded())
    }
}
