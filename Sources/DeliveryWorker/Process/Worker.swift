package import DeliveryQueue
package import Logging
package import ProviderAPI
package import RedeliverConfiguration
import ServiceLifecycle
import UnixSignals

/// What outlives a reload: the open database and its disk, the connections to the provider, clocks and vital signs. The wall
/// clock is the provider's where ours is wrong, see `ProviderClock`.
package struct WorkerBase: Sendable {
    package let store: QueueStore
    let transport: any HTTPTransport
    let clock: any Clock<Duration>
    let wallClock: WallClock
    let time: ProviderClock
    let vitals: Vitals
    /// Of the dispatcher, see `RetryDispatcher.longestSleep`.
    let longestSleep: Duration
    let disk: DiskRoom
    let logger: Logger
    /// Makes the connections to the provider anew for the next configuration, between two generations.
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
        // Not by a clock that goes on while the machine sleeps: every loop would seem to hang when it wakes.
        vitals = Vitals(started: wallClock.now, clock: clock is ContinuousClock ? SuspendingClock() : clock)
        self.longestSleep = longestSleep
        self.logger = logger
        self.reconnect = reconnect
    }

    func client(for configuration: WorkerConfiguration) -> ProviderClient {
        ProviderClient(configuration, transport: transport, wallClock: wallClock, logger: logger)
    }
}

/// The composition root: opens what is needed, runs until it is told to stop, closes in order.
package struct Worker: Sendable {
    package let load: @Sendable () throws -> WorkerConfiguration
    package let logger: Logger
    private let manager: ServiceManager

    /// - Parameters:
    ///   - environment: may name a service manager that wants to be told how the daemon is.
    ///   - load: reads the configuration; called at the start and at every SIGHUP.
    package init(
        logger: Logger, environment: [String: String] = [:],
        load: @escaping @Sendable () throws -> WorkerConfiguration
    ) {
        self.load = load
        self.logger = logger
        manager = ServiceManager(environment: environment, logger: logger)
    }

    /// The daemon: returns after SIGTERM or SIGINT, when calls in flight have ended and are recorded.
    ///
    /// - Throws: `ConfigurationError` or `StoreError` before anything is called.
    package func run() async throws {
        // From before the file is read: a SIGHUP of this moment would end the process, a little later be lost.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        let configuration = try load()
        try await withBase(configuration) { base in
            let reload = Reload()
            let supervisor = Supervisor(first: configuration, base: base, reload: reload, manager: manager)
            let reloader = Reloader(
                hangups: hangups, load: load, reload: reload, database: configuration.database, manager: manager,
                logger: logger)
            // It stops first, and says so.
            let watchdog = Watchdog(manager: manager, vitals: base.vitals, clock: base.clock, logger: logger)
            var group = ServiceGroupConfiguration(
                services: [reloader, supervisor, watchdog], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger.quieter)
            group.maximumGracefulShutdownDuration = configuration.provider.requestTimeout + Self.shutdownMargin
            group.maximumCancellationDuration = Self.shutdownMargin
            try await ServiceGroup(configuration: group).run()
            logger.notice("stopped")
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

    /// Sends what operators asked for, in place of a daemon.
    ///
    /// - Parameter configuration: loaded by the caller, who has used it to find the database.
    /// - Throws: `StoreError` of the kind `locked` when a daemon runs after all; it does the same.
    package func runManualRetries(_ configuration: WorkerConfiguration) async throws -> ManualRetries {
        try await withBase(configuration) { base in
            let generation = Generation(configuration, on: base)
            try await generation.prepare(at: base.wallClock.now)
            return try await generation.runManualRetries()
        }
    }

    /// Time for recording the last outcomes after the last call had to end.
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
            try store.close()
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
        // The work's own error says more than one of closing.
        do {
            try await connections.shutdown()
            try store.close()
        } catch {
            if case .success = result { throw error }
            logger.error("not closed in order", metadata: ["error": "\(error)"])
        }
        return try result.get()
    }

    private func reclaim(_ store: QueueStore, _ configuration: WorkerConfiguration, at now: Timestamp) async throws {
        if let copy = store.keptCopy {
            logger.notice(
                "schema brought up to date; the database as it was before is kept for 7 days",
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

/// Runs one generation after the other.
private struct Supervisor: Service, CustomStringConvertible {
    let first: WorkerConfiguration
    let base: WorkerBase
    let reload: Reload
    let manager: ServiceManager

    /// The longest that a start or a reload takes before it is taken to hang.
    static let patience = Duration.seconds(900)

    /// Every service is described when it starts; a mirror of all that this one holds was a twentieth of the start.
    var description: String { "supervisor" }

    func run() async throws {
        var configuration = first
        var gate: CallGate?
        while true {
            let generation = Generation(configuration, on: base, gate: gate)
            // Also when it has to be put off: it is tried again here, and not by a new start.
            manager.tell(.ready)
            guard await prepare(generation) else { return }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(services: generation.services(), logger: base.logger.quieter))
            await reload.attach(group)
            try await group.run()
            // No loop vouches for the daemon between two configurations.
            let change = await base.vitals.began("reload", patience: Self.patience)
            // The last turn of the loops may have changed what the file says.
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
    /// A database that cannot be written at the moment does not end the daemon: tried again until it can.
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
                base.logger.error("start put off", metadata: ["error": "\(error)", "next.in": "5 s"])
                await cancelWhenGracefulShutdown { _ = try? await base.clock.sleep(for: .seconds(5)) }
            }
        }
        return false
    }
}

/// Reads the configuration again at SIGHUP. A faulty file changes nothing and is reported whole.
private struct Reloader: Service, CustomStringConvertible {
    let hangups: UnixSignalsSequence
    let load: @Sendable () throws -> WorkerConfiguration
    let reload: Reload
    let database: String
    let manager: ServiceManager
    let logger: Logger

    var description: String { "reloader" }

    func run() async throws {
        for await _ in hangups.cancelOnGracefulShutdown() {
            do {
                let configuration = try load()
                guard configuration.database == database else {
                    logger.error(
                        "configuration not reloaded: `database` cannot change while the daemon runs; restart it",
                        metadata: ["database": "\(database)", "asked": "\(configuration.database)"])
                    continue
                }
                manager.tell(.reloading)
                logger.notice("configuration reloaded", metadata: ["endpoints": "\(configuration.endpoints.count)"])
                await reload.offer(configuration)
            } catch {
                logger.error("configuration not reloaded, the old one stays", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Hands a new configuration from the reloader to the supervisor.
private actor Reload {
    private var pending: WorkerConfiguration?
    private var current: ServiceGroup?

    func attach(_ group: ServiceGroup) async {
        current = group
        if pending != nil { await group.triggerGracefulShutdown() }
    }

    func offer(_ configuration: WorkerConfiguration) async {
        pending = configuration
        await current?.triggerGracefulShutdown()
    }

    func take() -> WorkerConfiguration? {
        defer { pending = nil }
        return pending
    }
}

extension Logger {
    /// For libraries whose everyday messages are of no use to an operator.
    fileprivate var quieter: Logger {
        var logger = self
        logger.logLevel = max(.warning, logLevel)
        return logger
    }
}
