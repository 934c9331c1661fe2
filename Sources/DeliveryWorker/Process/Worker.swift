package import DeliveryQueue
package import Logging
package import ProviderAPI
package import RedeliverConfiguration
import ServiceLifecycle
import UnixSignals

/// What outlives a reload: the open database and its disk, the connections to the provider, clocks and vitals. The wall
/// clock follows the provider's when ours is wrong; see `ProviderClock`.
package struct WorkerBase: Sendable {
    package let store: QueueStore
    let transport: any HTTPTransport
    let clock: any Clock<Duration>
    let wallClock: WallClock
    let time: ProviderClock
    let vitals: Vitals
    /// See `LogPoller.strayLinks`.
    let strayLinks = SaidOnce()
    /// See `LogPoller.oddBodies`.
    let oddBodies = SaidOnce()
    /// See `LogPoller.zones`.
    let zones = SaidOnce()
    /// See `RetryDispatcher.longestSleep`.
    let longestSleep: Duration
    let disk: DiskRoom
    let logger: Logger
    /// Makes new connections to the provider for the next configuration, between two generations.
    let reconnect: @Sendable (WorkerConfiguration) async -> Void

    package init(
        store: QueueStore, transport: any HTTPTransport, clock: any Clock<Duration> = ContinuousClock(),
        wallClock: WallClock = .system, disk: DiskRoom = .endless, longestSleep: Duration = .seconds(30),
        logger: Logger, reconnect: @escaping @Sendable (WorkerConfiguration) async -> Void = { _ in }
    ) {
        time = ProviderClock(watching: transport, wall: wallClock, clock: clock, logger: logger)
        self.store = store
        self.disk = disk
        self.transport = time
        self.clock = clock
        self.wallClock = time.clock
        // A clock that runs while the machine sleeps would make every loop seem to hang at wake-up.
        vitals = Vitals(started: wallClock.now, clock: clock is ContinuousClock ? SuspendingClock() : clock)
        self.longestSleep = longestSleep
        self.logger = logger
        self.reconnect = reconnect
    }

    func client(for configuration: WorkerConfiguration) -> ProviderClient {
        ProviderClient(configuration, transport: transport, wallClock: wallClock, clock: clock, logger: logger)
    }
}

/// The composition root: opens the database and the connections, runs until it is told to stop, closes in order.
package struct Worker: Sendable {
    package let load: @Sendable () throws -> WorkerConfiguration
    package let logger: Logger
    private let manager: ServiceManager
    private let giveUp: @Sendable () -> Void

    /// - Parameters:
    ///   - environment: may name the service manager's socket.
    ///   - giveUp: ends the process at once, because a stop takes too long.
    ///   - load: reads the configuration, at the start and at each SIGHUP.
    package init(
        logger: Logger, environment: [String: String] = [:], giveUp: @escaping @Sendable () -> Void = {},
        load: @escaping @Sendable () throws -> WorkerConfiguration
    ) {
        self.load = load
        self.logger = logger
        self.giveUp = giveUp
        manager = ServiceManager(environment: environment, logger: logger)
    }

    /// Runs the daemon. Returns after SIGTERM or SIGINT, when the calls in flight have ended and are recorded.
    ///
    /// - Throws: `ConfigurationError` or `StoreError` before anything is called; a `StoreError` of the kind `displaced`
    ///   when the database is lost meanwhile.
    package func run() async throws {
        // Before the file is read: until this line a SIGHUP ends the process, and a later trap could miss one.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let configuration = try load()
        let longestStop = configuration.provider.requestTimeout + Self.shutdownMargin
        let deadline = StopDeadline(after: longestStop + Self.shutdownMargin, logger: logger, giveUp: giveUp)
        // Before the database is opened: a SIGTERM in the middle of the start stops the daemon like any other.
        let stops = StopSignals(signals: await UnixSignalsSequence(trapping: .sigterm, .sigint))
        try await deadline.watchingSignals {
            try await run(configuration, hangups, stops, longestStop: longestStop, deadline)
        }
        logger.notice("stopped")
    }

    /// - Parameter longestStop: how long the services may take to stop.
    private func run(
        _ configuration: WorkerConfiguration, _ hangups: UnixSignalsSequence, _ stops: StopSignals,
        longestStop: Duration, _ deadline: StopDeadline
    ) async throws {
        try await withBase(configuration) { base in
            let reload = Reload()
            let supervisor = Supervisor(first: configuration, base: base, reload: reload, manager: manager)
            let reloader = Reloader(
                hangups: hangups, load: load, reload: reload, database: configuration.database, manager: manager,
                logger: logger)
            // The last service stops first; it tells the manager.
            let watchdog = Watchdog(manager: manager, vitals: base.vitals, clock: base.clock, logger: logger)
            let tenure = TenureWatch(store: base.store, clock: base.clock, deadline: deadline, logger: logger)
            let others: [any Service] = [reloader, supervisor, tenure, watchdog]
            var group = ServiceGroupConfiguration(
                services: [.init(service: stops, successTerminationBehavior: .gracefullyShutdownGroup)]
                    + others.map { .init(service: $0) },
                logger: logger.quieter)
            group.maximumGracefulShutdownDuration = longestStop
            try await ServiceGroup(configuration: group).run()
        }
    }

    /// One full turn, for cron.
    ///
    /// - Returns: how many endpoints could not be polled.
    package func runOnce() async throws -> Int {
        let configuration = try load()
        return try await withBase(configuration) { base in
            let generation = Generation(configuration, on: base)
            try await generation.prepare(at: base.wallClock.now)
            return try await generation.runOnce()
        }
    }

    /// Sends the retries that operators asked for, in place of a daemon.
    ///
    /// - Throws: `StoreError` of the kind `locked` when a daemon runs after all; the daemon then sends them.
    package func runManualRetries(_ configuration: WorkerConfiguration) async throws -> ManualRetries {
        try await withBase(configuration) { base in
            let generation = Generation(configuration, on: base)
            try await generation.prepare(at: base.wallClock.now)
            return try await generation.runManualRetries()
        }
    }

    /// The time for recording the last results after the last call has ended.
    private static let shutdownMargin = Duration.seconds(5)

    private func withBase<Value: Sendable>(
        _ configuration: WorkerConfiguration, _ work: (WorkerBase) async throws -> Value
    ) async throws -> Value {
        let now = WallClock.system.now
        let store = try QueueStore(path: configuration.database, now: now)
        let connections: ProviderConnections
        do {
            connections = try ProviderConnections(for: configuration, logger: logger.quieter)
        } catch {
            // The error of closing says less.
            try? store.close()
            throw error
        }
        let result: Result<Value, any Error>
        do {
            try await reclaim(store, configuration, at: now)
            let disk = DiskRoom(database: configuration.database, logger: logger)
            result = .success(
                try await work(
                    WorkerBase(
                        store: store, transport: connections, disk: disk, logger: logger,
                        reconnect: { await connections.renew(for: $0) })))
        } catch {
            result = .failure(error)
        }
        // An error of the work says more than an error of closing.
        do {
            try await Self.close(connections, store)
        } catch {
            if case .success = result { throw error }
            logger.error("cannot close the database or the connections", metadata: ["error": "\(error)"])
        }
        return try result.get()
    }

    /// Closes both, whatever happens to the first.
    ///
    /// - Throws: the first error.
    static func close(_ connections: ProviderConnections, _ store: QueueStore) async throws {
        do {
            try await connections.shutdown()
        } catch {
            try? store.close()
            throw error
        }
        try store.close()
    }

    private func reclaim(_ store: QueueStore, _ configuration: WorkerConfiguration, at now: Timestamp) async throws {
        if let copy = store.keptCopy {
            logger.notice(
                "schema updated; a copy of the database before the update is kept for 7 days",
                metadata: ["copy": "\(copy)"])
        }
        let interrupted = try await store.reclaimOpenIntents(rules: configuration.rules, at: now)
        logger.notice(
            "started",
            metadata: [
                "version": "\(RedeliverVersion.current)", "database": "\(configuration.database)",
                "endpoints": "\(configuration.endpoints.count)", "calls.interrupted": "\(interrupted)",
            ])
    }
}

/// Runs one generation after another.
private struct Supervisor: Service, CustomStringConvertible {
    let first: WorkerConfiguration
    let base: WorkerBase
    let reload: Reload
    let manager: ServiceManager

    /// A start or a reload that takes longer counts as hanging.
    static let patience = Duration.seconds(900)

    /// Each service is described at its start. Describing all that this one holds would take a twentieth of the start.
    var description: String { "supervisor" }

    func run() async throws {
        var configuration = first
        var gate: CallGate?
        while true {
            let generation = Generation(configuration, on: base, gate: gate)
            // Also when the preparation fails: it is tried again here, without a new start.
            manager.tell(.ready)
            guard await prepare(generation) else { return }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(services: generation.services(), logger: base.logger.quieter))
            await reload.attach(group)
            try await group.run()
            // Between two configurations no loop reports to the vitals.
            let change = await base.vitals.began("reload", patience: Self.patience)
            // The last turns of the loops may have changed the figures.
            try? await generation.metrics.runOnce(at: base.wallClock.now)
            guard let next = await reload.take(), !Task.isShuttingDownGracefully else { return }
            gate = await generation.gate(for: next)
            await base.reconnect(next)
            await base.vitals.ended(change)
            configuration = next
        }
    }
}

extension Supervisor {
    /// Tries again until the database can be written; a database that cannot be written now does not end the daemon.
    ///
    /// - Returns: false when a shutdown began before it succeeded.
    private func prepare(_ generation: Generation) async -> Bool {
        let start = await base.vitals.began("start", patience: Self.patience)
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                try await generation.prepare(at: base.wallClock.now)
                await base.vitals.ended(start)
                return true
            } catch {
                await base.vitals.turned(start, begun: nil, nextIn: Self.patience)
                base.logger.error("cannot start yet", metadata: ["error": "\(error)", "next.in": "5 s"])
                await cancelWhenGracefulShutdown { _ = try? await base.clock.sleep(for: .seconds(5)) }
            }
        }
        return false
    }
}

extension Logger {
    /// For libraries whose everyday messages do not help an operator.
    fileprivate var quieter: Logger {
        var logger = self
        logger.logLevel = max(.warning, logLevel)
        return logger
    }
}
