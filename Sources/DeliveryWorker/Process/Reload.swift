import Logging
import RedeliverConfiguration
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again at SIGHUP. A faulty file changes nothing, and all its faults are logged.
struct Reloader: Service, CustomStringConvertible {
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
                        "configuration not reloaded: `database` cannot change while the daemon runs; restart the daemon to change it",
                        metadata: ["database": "\(database)", "asked": "\(configuration.database)"])
                    continue
                }
                manager.tell(.reloading)
                logger.notice("configuration reloaded", metadata: ["endpoints": "\(configuration.endpoints.count)"])
                await reload.offer(configuration)
            } catch {
                logger.error("configuration not reloaded; the old one stays in force", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Hands a new configuration from the reloader to the supervisor.
actor Reload {
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
