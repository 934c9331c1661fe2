import DeliveryQueue
import ProviderAPI
import RedeliverConfiguration
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization

@testable import DeliveryWorker

/// A generation's services as the daemon runs them, on virtual time: whenever all loops sleep and no call is under way, time
/// goes on to the moment at which the next one wakes.
struct VirtualDaemon {
    let time: VirtualTime
    let generation: Generation
    private let clock: PacedClock

    init(
        _ bench: Workbench, _ configuration: WorkerConfiguration, _ transport: any HTTPTransport,
        disk: DiskRoom = .endless
    ) async throws {
        time = bench.time
        clock = PacedClock(time: bench.time)
        let base = WorkerBase(
            store: bench.store, transport: transport, clock: clock, wallClock: bench.time.wallClock, disk: disk,
            logger: .silent)
        generation = Generation(configuration, on: base)
        try await generation.prepare(at: time.now)
    }

    /// - Parameter look: asked at each moment; true ends the daemon.
    func run(until look: (Timestamp) async throws -> Bool) async throws {
        let services = generation.services()
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup { group in
                for service in services { group.addTask { try await service.run() } }
                for await _ in clock.changes {
                    let calls = await generation.dispatcher.calls.count
                    guard clock.sleeping == services.count, calls == 0 else { continue }
                    if try await look(time.now) { break }
                    clock.wakeNext()
                }
                trigger.triggerGracefulShutdown()
                try await group.waitForAll()
            }
        }
    }
}

/// A clock whose sleepers wake in the order of their deadlines, when somebody says so.
final class PacedClock: Clock {
    private struct Sleeper {
        let deadline: VirtualInstant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var next = 0
    }

    private let time: VirtualTime
    private let state = Mutex(State())
    private let changed: AsyncStream<Void>.Continuation
    /// One for each sleep that begins.
    let changes: AsyncStream<Void>

    init(time: VirtualTime) {
        self.time = time
        (changes, changed) = AsyncStream.makeStream()
    }

    var now: VirtualInstant { VirtualInstant(offset: time.now - Timestamp(milliseconds: 0)) }
    var minimumResolution: Duration { .milliseconds(1) }
    var sleeping: Int { state.withLock { $0.sleepers.count } }

    func sleep(until deadline: VirtualInstant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isCancelled = state.withLock { state in
                    if state.cancelled.contains(number) { return true }
                    state.sleepers[number] = Sleeper(deadline: deadline, continuation: continuation)
                    return false
                }
                if isCancelled { continuation.resume(throwing: CancellationError()) }
                changed.yield()
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(number)
                return state.sleepers.removeValue(forKey: number)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Moves the time to the earliest deadline and ends the sleeps that are over then.
    func wakeNext() {
        let woken = state.withLock { state in
            guard let first = state.sleepers.values.map(\.deadline).min() else { return [Sleeper]() }
            let missing = now.duration(to: first)
            if missing > .zero { time.advance(by: missing) }
            let due = state.sleepers.filter { $0.value.deadline <= max(first, now) }
            for number in due.keys { state.sleepers[number] = nil }
            return Array(due.values)
        }
        for sleeper in woken { sleeper.continuation.resume() }
    }
}
