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
    /// By which old rows are removed; see `ProviderClock.earlier`.
    let pruningClock: WallClock
    let clock: any Clock<Duration>
    let coverage: Coverage
    let logger: Logger

    /// - Parameter carried: the gate of the last generation, whose pause or outage goes on; nil for a new gate.
    package init(_ configuration: WorkerConfiguration, on base: WorkerBase, gate carried: CallGate? = nil) {
        self.configuration = configuration
        vitals = base.vitals
        wallClock = base.wallClock
        pruningClock = base.time.earlier
        clock = base.clock
        logger = base.logger
        let rules = configuration.rules
        let gate = SharedGate(
            carried?.adopting(
                perSecond: configuration.retry.perSecond, burst: configuration.retry.burst,
                endpoints: configuration.endpoints.count)
                ?? CallGate(
                    perSecond: configuration.retry.perSecond, burst: configuration.retry.burst,
                    endpoints: configuration.endpoints.count, now: base.wallClock.now))
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
                isClockCompared: { [time = base.time] in time.isCompared }, strayLinks: base.strayLinks,
                oddBodies: base.oddBodies, zones: base.zones, logger: base.logger)
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
            client: client, endpointIDs: configuration.endpoints.map(\.id), gate: gate, budget: budget,
            logger: base.logger)
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
            webhookIDs: Dictionary(
                uniqueKeysWithValues: configuration.endpoints.compactMap { endpoint in
                    endpoint.webhookID.map { (endpoint.id, $0) }
                }),
            historyFrom: now - configuration.poll.initialLookback, at: now)
        try await dispatcher.store.registerEventTypes(
            configuration.policies.exactEventTypes + FieldNames.documentedEventTypes, at: now)
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
        var (isMoving, unread) = (true, Set<String>())
        while isMoving {
            let done = try await dispatcher.runOnce(at: wallClock.now) { await look(at: $0) }
            unread = done.unread
            let before = try await nextDueInTurn()
            failed.formUnion(await poll(try await awaitingPollers()).map(\.endpointID))
            // Each arrival that the log shows lets a drain send more.
            let next = try await nextDueInTurn()
            isMoving = done.started > 0 && next != before && next.map { $0 <= wallClock.now } ?? false
        }
        if await !vitals.endpointsPolled.isEmpty { _ = try await settler.runOnce(at: wallClock.now) }
        if await mayPrune() { _ = try await pruner.withoutRests().runOnce(at: pruningClock.now) }
        try await metrics.runOnce(at: wallClock.now)
        return failed.union(try await endpointsLeftUnread(besides: unread)).count
    }

    /// - Parameter waiting: endpoints whose due deliveries wait for their logs to be read.
    private func endpointsLeftUnread(besides waiting: Set<String>) async throws -> Set<String> {
        var unread = try await dispatcher.store.endpointsWithGaps().union(waiting)
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
