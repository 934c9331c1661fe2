package import DeliveryQueue
import Logging
import ProviderAPI
package import RedeliverConfiguration
import ServiceLifecycle

/// The names of the loops, in the log and as a label of metrics.
enum LoopName: String, CaseIterable {
    case poll, dispatch, settle, prune, credential, metrics, operators
}

/// All duties under one configuration. A reload ends this generation, lets calls in flight finish, and builds the next
/// one, so no duty sees its configuration change.
package struct Generation: Sendable {
    let configuration: WorkerConfiguration
    let pollers: [(poller: LogPoller, bell: Bell)]
    let dispatcher: RetryDispatcher
    let settler: Settler
    let pruner: Pruner
    let keeper: CredentialKeeper
    let unreadableReader: UnreadableReader
    package let metrics: MetricsReporter
    let vitals: Vitals
    let wallClock: WallClock
    let clock: any Clock<Duration>
    let coverage: Coverage
    private let logger: Logger

    /// - Parameter carried: the gate of the last generation, whose pause or outage goes on; nil for a new gate.
    package init(_ configuration: WorkerConfiguration, on base: WorkerBase, gate carried: CallGate? = nil) {
        self.configuration = configuration
        vitals = base.vitals
        wallClock = base.wallClock
        clock = base.clock
        logger = base.logger
        let rules = configuration.rules
        let gate = SharedGate(
            carried?.adopting(perSecond: configuration.retry.perSecond, burst: configuration.retry.burst)
                ?? CallGate(
                    perSecond: configuration.retry.perSecond, burst: configuration.retry.burst,
                    now: base.wallClock.now))
        let client = base.client(for: configuration)
        let bells = Dictionary(uniqueKeysWithValues: configuration.endpoints.map { ($0.id, Bell()) })
        let dispatcherBell = Bell()
        let coverage = Coverage(
            within: configuration.retry.freshWithin, openings: carried?.openings ?? 0, clock: base.clock,
            pollers: bells, dispatcher: dispatcherBell)
        self.coverage = coverage
        let budget = RequestBudget(perMinute: configuration.poll.requestsPerMinute, clock: base.clock) {
            [now = base.wallClock] in await gate.with { $0.readingPause(at: now.now) }
        }
        pollers = configuration.endpoints.map { endpoint in
            let poller = LogPoller(
                store: base.store, client: client, gate: gate, coverage: coverage, budget: budget, endpoint: endpoint,
                poll: configuration.poll, rules: rules, disk: base.disk, wallClock: base.wallClock,
                strayLinks: base.strayLinks, logger: base.logger)
            return (poller, bells[endpoint.id] ?? Bell())
        }
        dispatcher = RetryDispatcher(
            store: base.store, client: client, gate: gate, calls: CallsInFlight(), retry: configuration.retry,
            rules: rules, lease: configuration.longestCall + .seconds(30), bell: dispatcherBell, pollBells: bells,
            coverage: coverage, clock: base.clock, wallClock: base.wallClock, longestSleep: base.longestSleep,
            logger: base.logger)
        settler = Settler(store: base.store, rules: rules, time: base.time, logger: base.logger)
        pruner = Pruner(store: base.store, clock: base.clock, logger: base.logger)
        keeper = CredentialKeeper(
            client: client, endpointID: configuration.endpoints[0].id, gate: gate, budget: budget, logger: base.logger)
        unreadableReader = UnreadableReader(
            store: base.store, client: client, endpoints: configuration.endpoints, rules: rules, logger: base.logger)
        metrics = MetricsReporter(
            store: base.store, gate: gate, budget: budget, vitals: base.vitals, databasePath: configuration.database,
            textfile: configuration.metrics.textfile, version: RedeliverVersion.current, time: base.time,
            disk: base.disk)
    }

    /// Registers this configuration's endpoints and event types in the database, and decodes again the log entries that
    /// an earlier configuration could not read.
    package func prepare(at now: Timestamp) async throws {
        PendingFile.removeUnfinished(of: configuration.metrics.textfile)
        await metrics.disk.keep(configuration.diskReserve)
        try await dispatcher.store.registerEndpoints(
            configuration.endpoints.map { (id: $0.id, name: $0.name) },
            historyFrom: now - configuration.poll.initialLookback)
        try await dispatcher.store.registerEventTypes(
            configuration.policies.exactEventTypes + FieldNames.documentedEventTypes)
        if !configuration.circuit.isEnabled {
            try await dispatcher.store.endCircuits(rules: configuration.rules, at: now)
        }
        _ = try await unreadableReader.runOnce(at: now)
    }

    /// The gate for the next generation, after this one has ended: a pause or an outage goes on.
    ///
    /// - Returns: nil when the next configuration names another provider.
    func gate(for next: WorkerConfiguration) async -> CallGate? {
        next.provider.baseURL == configuration.provider.baseURL ? await dispatcher.gate.gate : nil
    }

    /// One full turn of all duties, for cron: it polls, retries what is due, waits for the answers, reads the logs
    /// again where an outcome is open, settles, and writes metrics. A drain continues within the turn. A receiver that
    /// is down gets one trial only, because short waits between trials would never let the turn end.
    ///
    /// - Returns: of how many endpoints the log could not be read, or not to its end. Each is logged.
    func runOnce() async throws -> Int {
        var failed = await readLogs()
        var isMoving = true
        while isMoving {
            let called = try await dispatcher.runOnce(at: wallClock.now) { await look(at: $0) }.started
            let before = try await nextDueInTurn()
            failed.formUnion(await poll(try await awaitingPollers()).map(\.endpointID))
            // Each arrival that the log shows lets a drain send more.
            let next = try await nextDueInTurn()
            isMoving = called > 0 && next != before && next.map { $0 <= wallClock.now } ?? false
        }
        if await !vitals.endpointsPolled.isEmpty { _ = try await settler.runOnce(at: wallClock.now) }
        if await mayPrune() { _ = try await pruner.withoutRests().runOnce(at: wallClock.now) }
        try await metrics.runOnce(at: wallClock.now)
        return failed.union(try await endpointsLeftUnread()).count
    }

    private func endpointsLeftUnread() async throws -> Set<String> {
        var unread = try await dispatcher.store.endpointsWithGaps()
        for endpoint in configuration.endpoints where await coverage.rest(of: endpoint.id) != nil {
            unread.insert(endpoint.id)
        }
        for endpoint in configuration.endpoints where unread.contains(endpoint.id) {
            logger.warning(
                "a part of the log is still unread; the next turn goes on with it",
                metadata: ["endpoint": "\(endpoint.name)"])
        }
        return unread
    }

    /// Polls every endpoint once.
    ///
    /// - Returns: the ids of those whose log could not be read.
    package func readLogs() async -> Set<String> {
        Set(await poll(pollers.map(\.poller)).map(\.endpointID))
    }

    private func nextDueInTurn() async throws -> Timestamp? {
        try await dispatcher.store.nextDue(countsTrials: false, at: wallClock.now)
    }

    /// Sends the retries that operators asked for while no daemon runs. It reads the logs of their endpoints before, so
    /// that nothing is sent that has arrived, and once more after the calls.
    func runManualRetries() async throws -> ManualRetries {
        let endpoints = try await dispatcher.store.endpointsWithManualRetries()
        let concerned = pollers.map(\.poller).filter { endpoints.contains($0.endpoint.id) }
        var obstacles = await poll(concerned).map(\.error)
        let summary = try await dispatcher.runOnce(.manual, at: wallClock.now) { await look(at: $0) }
        _ = await poll(concerned)
        do {
            try await metrics.runOnce(at: wallClock.now)
        } catch {
            obstacles.append(error)
        }
        return ManualRetries(summary, obstacles: obstacles)
    }

    // MARK: - Polling

    /// Polls every `poll.interval`, or when the overlap is to be read again; every `confirm.interval` while an outcome or the receiver's return should show in
    /// the log; more often during a trial or at the beginning of a drain; and in an outage when the gate wants a log
    /// read. A ring only makes the loop look which of these applies.
    func runPolling(_ poller: LogPoller, _ bell: Bell) async throws {
        var pace = PollPace(configuration.poll)
        var isPauseNoted = false
        await loop(.poll, bell).run { now in
            if await poller.shortage(at: now) != nil { return DiskRoom.pause }
            let untilDeep = await coverage.untilDeepLook(poller.endpoint.id)
            var (isOutage, isWanted) = (false, false)
            switch await turn(of: poller, at: now) {
            case .later(let wait):
                if !isPauseNoted { isPauseNoted = try await poller.notePause(at: now) }
                return wait
            case .probe: isOutage = true
            case .usual:
                isWanted = await coverage.wantsLook(poller.endpoint.id)
                let interval = isWanted ? PollPace.lookInterval : try await interval(of: poller, at: now)
                let wait = pace.wait(interval, untilDeep: untilDeep, at: now)
                if wait > .zero { return wait }
            }
            isPauseNoted = false
            let summary =
                try await isOutage
                ? probe(with: poller, at: now) : look(with: poller, for: isWanted ? .look : nil, at: now)
            pace.polled(at: summary.isUnfinished ? nil : now, untilDeep: untilDeep)
            if summary.changedSomething { await dispatcher.bell.ring() }
            if summary.isUnfinished { return .zero }
            let interval = try await interval(of: poller, at: now)
            return pace.rest(interval, untilDeep: await coverage.untilDeepLook(poller.endpoint.id))
        }
    }

    private enum PollTurn {
        /// Not now; ask the gate again after this time.
        case later(Duration)
        /// At the configured pace.
        case usual
        /// Now, to find out whether an outage is over.
        case probe
    }

    private func turn(of poller: LogPoller, at now: Timestamp) async -> PollTurn {
        let readers = pollers.count
        return await poller.gate.with { gate in
            if let wait = gate.pauseOfRead(by: poller.endpoint.id, of: readers, at: now) { return .later(wait) }
            return gate.closed == .outage ? .probe : .usual
        }
    }

    /// A turn in an outage. When it ends the outage all loops go on, even if this log could not be read to its end.
    private func probe(with poller: LogPoller, at now: Timestamp) async throws -> PollSummary {
        let result: Result<PollSummary, any Error>
        do {
            result = .success(try await look(with: poller, at: now))
        } catch {
            result = .failure(error)
        }
        if await poller.gate.gate.closed == nil { await ringAll() }
        return try result.get()
    }

    /// One polling turn.
    ///
    /// - Parameter wanted: why the log is read; nil: by the state of its deliveries.
    private func look(
        with poller: LogPoller, for wanted: PagePurpose? = nil, at now: Timestamp
    ) async throws -> PollSummary {
        let isAwaited = try await poller.store.pollUrgency(of: poller.endpoint.id, at: now) != .routine
        let purpose = wanted ?? (isAwaited ? .confirm : .new)
        let summary: PollSummary
        do {
            summary = try await poller.runOnce(at: now, for: purpose)
        } catch is ClockPutBack {
            summary = try await poller.runOnce(at: wallClock.now, for: purpose)
        }
        if !summary.isUnfinished { await vitals.polled(poller.endpoint.id) }
        return summary
    }

    /// So many turns in a row read one log, within a turn that does all there is to do: a quarter of an hour.
    private static let mostTurns = 20

    /// Reads a log to its end, as far as it can be read.
    private func readWhole(with poller: LogPoller, for purpose: PagePurpose?) async throws {
        for _ in 0..<Self.mostTurns {
            let summary = try await look(with: poller, for: purpose, at: wallClock.now)
            guard summary.isUnfinished || summary.hasRest, summary.trouble == nil else { return }
        }
    }

    /// Looks at an endpoint's log, within a turn that does all there is to do.
    private func look(at endpointID: String) async {
        _ = await poll(pollers.map(\.poller).filter { $0.endpoint.id == endpointID }, for: .look)
    }

    private func interval(of poller: LogPoller, at now: Timestamp) async throws -> Duration {
        let soon = min(configuration.confirm.interval, configuration.poll.interval)
        return switch try await poller.store.pollUrgency(of: poller.endpoint.id, at: now) {
        case .routine: configuration.poll.interval
        case .soon: soon
        case .atOnce: min(soon, PollPace.closeInterval)
        }
    }

    /// The pollers of endpoints whose log should show an outcome.
    private func awaitingPollers() async throws -> [LogPoller] {
        var awaiting: [LogPoller] = []
        for (poller, _) in pollers
        where try await poller.store.pollUrgency(of: poller.endpoint.id, at: wallClock.now) != .routine {
            awaiting.append(poller)
        }
        return awaiting
    }

    /// - Returns: an error for each log that could not be read. Each is logged and stored.
    private func poll(
        _ pollers: [LogPoller], for purpose: PagePurpose? = nil
    ) async -> [(endpointID: String, error: any Error)] {
        var failed: [(endpointID: String, error: any Error)] = []
        for poller in pollers {
            do {
                try await readWhole(with: poller, for: purpose)
            } catch {
                failed.append((poller.endpoint.id, error))
                logger.error(
                    "log not read", metadata: ["endpoint": "\(poller.endpoint.name)", "error": "\(error)"])
            }
        }
        return failed
    }

    /// True when a log was read since the start, or when the disk is too full to read logs: pruning may then make room.
    func mayPrune() async -> Bool {
        if await !vitals.endpointsPolled.isEmpty { return true }
        return await pollers[0].poller.disk.shortage() != nil
    }

    func ringAll() async {
        await dispatcher.bell.ring()
        for (_, bell) in pollers {
            await bell.ring()
        }
    }

    func loop(_ name: LoopName, _ bell: Bell = Bell()) -> Loop {
        Loop(
            name: name.rawValue, bell: bell, clock: clock, wallClock: wallClock, vitals: vitals,
            // Reading is limited by time and pruning by count; a turn may also wait for calls.
            patience: configuration.longestCall + .seconds(900), logger: logger)
    }
}
