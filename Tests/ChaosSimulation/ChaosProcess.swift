import DeliveryQueue
import DeliverySimulation
import DeliveryWorker
import Foundation
import Logging
import RedeliverConfiguration
import ServiceLifecycleTestKit
import Synchronization

/// One life of the worker, which ends as after SIGKILL or by a graceful stop.
///
/// A kill copies the database and its write-ahead log between two jobs. The next life goes on with that copy, as a
/// process finds the files of a killed one. Nothing that the old life still does reaches the provider or the copy; its
/// tasks are cancelled only to free their memory.
final class ChaosProcess: Sendable {
    /// What a graceful stop is for.
    enum Stop: Sendable {
        case end
        case reload(WorkerConfiguration)
    }

    private struct State {
        var isDead = false
        var trigger: GracefulShutdownTestTrigger?
        var stop: Stop?
        /// This many beginnings and ends of transactions pass before it dies; nil: it does not.
        var passing: Int?
        /// Ends the waiting for its death; nil: nobody waits.
        var death: AsyncStream<Never>.Continuation?
    }

    let number: Int
    let folder: String
    /// The files' name.
    let database: String
    /// Where a kill leaves the copy.
    let heir: String
    private let state = Mutex(State())

    init(number: Int, folder: String, database: String) {
        self.number = number
        self.folder = folder
        self.database = database
        heir = "life-\(number + 1).db"
    }

    var path: String { "\(folder)/\(database)" }
    var isDead: Bool { state.withLock { $0.isDead } }

    /// Ends this life between two jobs. A second call changes nothing.
    func kill() {
        guard
            state.withLock({ state in
                defer { state.isDead = true }
                return !state.isDead
            })
        else { return }
        for suffix in ["", "-wal"] {
            try? FileManager.default.copyItem(atPath: path + suffix, toPath: "\(folder)/\(heir)\(suffix)")
        }
        state.withLock { $0.death }?.finish()
    }

    /// Lets it die at one of the next beginnings and ends of transactions.
    func killAtTransaction(_ number: Int) {
        state.withLock { $0.passing = number }
    }

    /// A transaction begins or has ended.
    func passTransaction() {
        let isLast = state.withLock { state in
            guard let passing = state.passing else { return false }
            state.passing = passing - 1
            return passing == 0
        }
        if isLast { kill() }
    }

    /// Returns when it is dead, or the calling task is cancelled.
    func waitForDeath() async {
        let (deaths, death) = AsyncStream<Never>.makeStream()
        let isDead = state.withLock { state in
            state.death = death
            return state.isDead
        }
        guard !isDead else { return }
        for await _ in deaths {}
    }

    /// Lets the work under way end, and then does what `stop` says.
    func stop(_ stop: Stop) {
        state.withLock { state -> GracefulShutdownTestTrigger? in
            state.stop = stop
            return state.trigger
        }?.triggerGracefulShutdown()
    }

    /// The daemon's life, configuration by configuration.
    func work(_ first: WorkerConfiguration, on base: WorkerBase) async throws {
        var configuration = first
        var gate: CallGate?
        while true {
            gate = try await runDuties(of: configuration, on: base, gate: gate)
            let stop = state.withLock { state in
                defer { state.stop = nil }
                return state.stop
            }
            guard case .reload(let next)? = stop, !Task.isCancelled else { return }
            configuration = next
        }
    }

    private func runDuties(
        of configuration: WorkerConfiguration, on base: WorkerBase, gate: CallGate?
    ) async throws -> CallGate {
        try await testGracefulShutdown { trigger in
            let isAsked = state.withLock { state in
                state.trigger = trigger
                return state.stop != nil
            }
            if isAsked { trigger.triggerGracefulShutdown() }
            return try await base.runDuties(of: configuration, gate: gate)
        }
    }
}
