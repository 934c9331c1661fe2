import DeliveryQueue
import Dispatch
import ProviderAPI
import RedeliverConfiguration
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization

@testable import DeliveryWorker

/// A generation's services as the daemon runs them, on virtual time: whenever all that could be done is done and no
/// call is under way, time goes on to the moment at which the next loop wakes. However slow the machine is, no time
/// passes before.
struct VirtualDaemon {
    let time: VirtualTime
    let generation: Generation
    private let clock: PacedClock
    private let road: CountedTransport
    private let world = IdleExecutor()

    init(
        _ bench: Workbench, _ configuration: WorkerConfiguration, _ transport: any HTTPTransport,
        disk: DiskRoom = .endless
    ) async throws {
        time = bench.time
        clock = PacedClock(time: bench.time)
        road = CountedTransport(transport)
        let base = WorkerBase(
            store: bench.store, transport: road, clock: clock, wallClock: bench.time.wallClock, disk: disk,
            logger: .silent)
        generation = Generation(configuration, on: base)
        try await generation.prepare(at: time.now)
    }

    /// - Parameter look: asked at each moment; true ends the daemon.
    func run(until look: (Timestamp) async throws -> Bool) async throws {
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup { group in
                for service in generation.services() {
                    group.addTask(executorPreference: world) { try await service.run() }
                }
                for await _ in world.pauses where world.isIdle && road.underWay == 0 {
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
private struct PacedClock: Clock {
    let time: VirtualTime
    private let sleepers = Sleepers()

    init(time: VirtualTime) {
        self.time = time
    }

    var now: VirtualInstant { VirtualInstant(offset: time.now - Timestamp(milliseconds: 0)) }
    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: VirtualInstant, tolerance: Duration?) async throws {
        try await sleepers.sleep(until: deadline.offset)
    }

    /// Moves the time to the earliest deadline and ends the sleeps that are over then.
    func wakeNext() {
        guard let first = sleepers.earliest else { return }
        time.advance(by: max(.zero, first - now.offset))
        sleepers.wake(upTo: max(first, now.offset))
    }
}

/// Runs jobs one after the other and tells whenever none is left. The statements of a simulation's store and all child
/// tasks stay here; only calls over a real network do not.
private final class IdleExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "virtual-daemon")
    private let waiting = Mutex(0)
    private let paused: AsyncStream<Void>.Continuation
    /// One for each time that the last job has ended.
    let pauses: AsyncStream<Void>

    init() {
        (pauses, paused) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var isIdle: Bool { waiting.withLock { $0 == 0 } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        waiting.withLock { $0 += 1 }
        queue.async { [self] in
            job.runSynchronously(on: asUnownedTaskExecutor())
            waiting.withLock { $0 -= 1 }
            if isIdle { paused.yield() }
        }
    }
}

/// Knows how many calls are under way.
private final class CountedTransport: HTTPTransport {
    private let inner: any HTTPTransport
    private let calls = Mutex(0)

    init(_ inner: any HTTPTransport) {
        self.inner = inner
    }

    var underWay: Int { calls.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        calls.withLock { $0 += 1 }
        defer { calls.withLock { $0 -= 1 } }
        return try await inner.send(request)
    }
}
