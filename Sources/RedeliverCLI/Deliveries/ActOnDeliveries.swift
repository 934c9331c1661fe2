import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import RedeliverConfiguration

extension DeliveriesCommand {
    /// `redeliver deliveries retry`.
    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Asks the provider for a retry now, outside the schedule. It uses no attempt.",
            discussion: """
                A running daemon sends the retry within a second; without a daemon this command sends it. Only an \
                operator's pause holds it back. A success ends the schedule. After a failure the schedule goes on as before, \
                and a dead delivery is dead again.
                The log is read before, so that nothing is sent that has arrived. While the log cannot be read, the retry \
                waits. --unread sends it all the same: a delivery that has arrived may then arrive twice.
                \(ActionOptions.discussion)
                """)

        @OptionGroup var action: ActionOptions
        @OptionGroup var pace: PaceOptions

        @Flag(help: "Send it although the log cannot be read, and may show that it has arrived.")
        var unread = false

        func run() async throws {
            try await action.run(.retry, pace: pace, ignoresLog: unread)
        }
    }

    /// `redeliver deliveries discard`.
    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives up waiting deliveries: they are dead for the reason discarded. requeue brings them back.",
            discussion: ActionOptions.discussion)

        @OptionGroup var action: ActionOptions

        func run() async throws {
            try await action.run(.discard, pace: nil)
        }
    }

    /// `redeliver deliveries requeue`.
    struct Requeue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Gives dead deliveries a new cycle with all attempts; they are due at once.",
            discussion: ActionOptions.discussion)

        @OptionGroup var action: ActionOptions
        @OptionGroup var pace: PaceOptions

        func run() async throws {
            try await action.run(.requeue, pace: pace)
        }
    }
}

/// How fast the deliveries of an action on many become due.
struct PaceOptions: ParsableArguments {
    @Option(
        help:
            "With a filter: how many deliveries become due per second. Default: all at once; retry.per_second limits the calls."
    )
    var perSecond: Double?

    func validate() throws {
        if let perSecond, !(0.001...10_000).contains(perSecond) {
            throw ValidationError("--per-second: expected a number from 0.001 to 10000")
        }
    }

    var spacing: Duration { perSecond.map { .seconds(1 / $0) } ?? .zero }
}

/// Which deliveries an action is for, and why: one delivery at once, or all that match a filter after a dry run.
struct ActionOptions: ParsableArguments {
    static let discussion = """
        For a single delivery the command acts at once. With a filter it needs --confirm; without it, it prints the number \
        and a sample of the matching deliveries and changes nothing. The set is fixed at the start: a delivery that fails \
        again meanwhile is not acted on twice.
        """

    @Argument(help: DeliveryArgument.help)
    var delivery: DeliveryArgument?

    @OptionGroup var filter: FilterOptions

    @Option(help: ArgumentHelp("Only deliveries that are dead for this reason; may be repeated.", valueName: "reason"))
    var deadReason: [DeadReason] = []

    @Option(name: .long, help: ArgumentHelp("Why you do it; stored with your name and the time.", valueName: "text"))
    var reason: String?

    @Flag(help: "With a filter: act, instead of a dry run.")
    var confirm = false

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let reason, reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason is empty") }
    }

    /// Not in `validate`, which runs before the parser reports a mistyped option and would take its value for a
    /// delivery.
    private func check() throws {
        switch (delivery, filter.isGiven || !deadReason.isEmpty) {
        case (_?, true): throw ValidationError("give one delivery or a filter, not both")
        case (nil, false):
            throw ValidationError(
                "name a delivery by task id or number, or give a filter such as --event-type or --since")
        case (_?, false), (nil, true): break
        }
        guard reason == nil, delivery != nil || confirm else { return }
        throw ValidationError("--reason is missing: say why; it is stored with your name and the time")
    }

    /// - Parameters:
    ///   - pace: nil for an action that makes nothing due.
    ///   - ignoresLog: whether a retry is sent although its log cannot be read.
    func run(_ action: OperatorAction, pace: PaceOptions?, ignoresLog: Bool = false) async throws {
        try await Exit.onError {
            try check()
            let now = WallClock.system.now
            let path = try database.path()
            let reader = try QueueReader(path: path)
            var report: ActionReport
            if let delivery {
                let found = try delivery.find(in: reader)
                report = try await actOnOne(found, action, pace, ignoresLog: ignoresLog, path, at: now)
            } else {
                let wanted = try eligible(try filter.filter(in: reader, reasons: deadReason, at: now), for: action)
                report = try await actOnMany(
                    wanted, action, pace?.spacing ?? .zero, ignoresLog: ignoresLog, reader, at: now)
            }
            if action == .retry, report.done > 0 { report.waiting = try reader.retriesWaitingForLogs() }
            try output.print(report) { report.text(on: $0, at: now) }
            // The action is recorded, even if the calls from here failed.
            if let obstacle = report.obstacle { throw obstacle }
        }
    }

    // MARK: - Acting

    private func actOnOne(
        _ found: DeliveryRecord, _ action: OperatorAction, _ pace: PaceOptions?, ignoresLog: Bool, _ path: String,
        at now: Timestamp
    ) async throws -> ActionReport {
        if pace?.perSecond != nil || confirm {
            throw ValidationError(
                "--per-second and --confirm are for filters; for a single delivery the command acts at once")
        }
        let id = found.delivery.id
        let store = try QueueStore.forOperator(path: path, now: now)
        defer { try? store.close() }
        let isThere = try await store.act(
            action, on: id, ignoresLog: ignoresLog, by: Operator.name, reason: reason ?? "", at: now)
        guard isThere else {
            throw ValidationError("there is no delivery \(id) any more")
        }
        var report = ActionReport(action: action, matched: 1, delivery: found)
        report.done = 1
        await follow(&report, path)
        return report
    }

    private func actOnMany(
        _ filter: DeliveryFilter, _ action: OperatorAction, _ spacing: Duration, ignoresLog: Bool,
        _ reader: QueueReader,
        at now: Timestamp
    ) async throws -> ActionReport {
        let ids = try reader.deliveryIDs(matching: filter)
        var report = ActionReport(action: action, matched: ids.count)
        guard confirm else {
            report.sample = try reader.deliveries(matching: filter, limit: ActionReport.sampleSize)
            return report
        }
        let store = try QueueStore.forOperator(path: reader.path, now: now)
        defer { try? store.close() }
        let summary = try await store.act(
            action, on: ids, spacing: spacing, ignoresLog: ignoresLog, by: Operator.name, reason: reason ?? "", at: now)
        report.isDryRun = false
        report.done = summary.done
        report.skipped = summary.skipped
        await follow(&report, reader.path)
        return report
    }

    /// Limits the filter to the states that the action is for. Other states are a mistake and not "nothing matches".
    private func eligible(_ filter: DeliveryFilter, for action: OperatorAction) throws -> DeliveryFilter {
        var filter = filter
        if !filter.reasons.isEmpty, filter.states.isEmpty { filter.states = [.dead] }
        if let other = filter.states.first(where: { !action.states.contains($0) }) {
            let states = action.states.map(\.rawValue).joined(separator: " or ")
            throw ValidationError(
                "\(action.rawValue) is for \(states) deliveries, not for \(other.rawValue) deliveries")
        }
        if filter.states.isEmpty { filter.states = action.states }
        return filter
    }

    /// nil when the configuration cannot be used. The action is recorded and waits for a daemon, so this is no failure.
    private func configurationOrNote() -> WorkerConfiguration? {
        do {
            return try database.configuration.load()
        } catch {
            Note.print("no call can be made from here, because the configuration cannot be used: \(error)")
            return nil
        }
    }

    /// Lets the daemon act, or makes the calls of retries from here when no daemon runs.
    private func follow(_ report: inout ActionReport, _ path: String) async {
        report.daemon = DaemonPresence.look(atDatabase: path)
        guard report.action == .retry, report.done > 0, report.daemon == .absent else { return }
        let worker = Worker(logger: ToolLogger.make()) { [configuration = database.configuration] in
            try configuration.load()
        }
        guard var configuration = configurationOrNote() else { return }
        configuration.database = path
        do {
            let calls = try await worker.runManualRetries(configuration)
            report.called = calls.called
            report.accepted = calls.accepted
            report.obstacle = calls.obstacle
        } catch let error as StoreError where error.kind == .locked {
            report.daemon = DaemonPresence.look(atDatabase: path)
        } catch {
            report.obstacle = error
        }
    }
}
