import Dispatch
import Synchronization

/// A world in which nothing waits. One thread runs the jobs in the order in which they became ready; when none is ready
/// the clock jumps to the next sleeper's deadline.
///
/// `await withTaskExecutorPreference(time) { … }` brings work into it, with its child tasks and the default actors that
/// they call. Equal inputs then give equal runs, unless work leaves the world: through an unstructured task, another
/// executor, or a callback on a library's thread. `strays` counts that.
package final class VirtualTime: TaskExecutor {
    fileprivate struct Sleeper {
        let deadline: Duration
        /// The order of falling asleep, for equal deadlines.
        let number: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    fileprivate struct State {
        var ready: [UnownedJob] = []
        /// The index of the next job in `ready`; the jobs before it have run.
        var nextReady = 0
        /// The earliest comes last.
        var sleepers: [Sleeper] = []
        var now = Duration.zero
        var sleepsBegun = 0
        var isRunning = false
        var strays = 0
        /// Jobs that have begun.
        var jobs = 0
        /// An action between two jobs, when this many have begun.
        var interruption: (jobs: Int, action: @Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "virtual-time")
    private static let isInside = DispatchSpecificKey<Bool>()

    package init() {
        queue.setSpecific(key: Self.isInside, value: true)
    }

    /// The time since the beginning.
    package var now: Duration { state.withLock { $0.now } }

    /// How often a job came from another thread; this should be once for each piece of work that is brought in.
    package var strays: Int { state.withLock { $0.strays } }

    package var clock: VirtualClock { VirtualClock(time: self) }

    /// Jobs that have begun; equal runs have equal numbers.
    package var jobs: Int { state.withLock { $0.jobs } }

    /// Does something between two jobs, after `jobs` more have begun. Replaces an earlier interruption.
    package func interrupt(afterJobs jobs: Int, _ action: @escaping @Sendable () -> Void) {
        state.withLock { $0.interruption = ($0.jobs + jobs, action) }
    }

    // MARK: - Jobs

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isStray = DispatchQueue.getSpecific(key: Self.isInside) == nil
        startIfIdle { state in
            state.ready.append(job)
            if isStray { state.strays += 1 }
        }
    }

    /// - Parameter change: adds a job or a sleeper.
    private func startIfIdle(_ change: (inout State) -> Void) {
        let starts = state.withLock { state in
            change(&state)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { queue.async { self.run() } }
    }

    /// Runs until no job is ready and nobody sleeps.
    private func run() {
        while true {
            interruptionDue()?()
            if let job = nextJob() {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else if let sleeper = nextSleeper() {
                sleeper.continuation.resume()
            } else if stops() {
                return
            }
        }
    }

    private func nextJob() -> UnownedJob? {
        state.withLock { state in
            guard state.nextReady < state.ready.count else { return nil }
            let job = state.ready[state.nextReady]
            state.nextReady += 1
            state.jobs += 1
            if state.nextReady == state.ready.count {
                state.ready.removeAll(keepingCapacity: true)
                state.nextReady = 0
            }
            return job
        }
    }

    private func interruptionDue() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard let due = state.interruption, due.jobs <= state.jobs else { return nil }
            state.interruption = nil
            return due.action
        }
    }

    private func stops() -> Bool {
        state.withLock { state in
            state.isRunning = !state.ready.isEmpty || !state.sleepers.isEmpty
            return !state.isRunning
        }
    }

    // MARK: - Sleeping

    private func nextSleeper() -> Sleeper? {
        state.withLock { state in
            guard let sleeper = state.sleepers.popLast() else { return nil }
            state.now = max(state.now, sleeper.deadline)
            return sleeper
        }
    }

    func sleep(until deadline: Duration) async throws {
        let number = state.withLock { state in
            state.sleepsBegun += 1
            return state.sleepsBegun
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let sleeper = Sleeper(deadline: deadline, number: number, continuation: continuation)
                // The cancellation handler may have run already, before this sleeper existed.
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                startIfIdle { $0.add(sleeper) }
            }
        } onCancel: {
            state.withLock { $0.remove(number) }?.resume(throwing: CancellationError())
        }
    }
}

extension VirtualTime.State {
    fileprivate mutating func add(_ sleeper: VirtualTime.Sleeper) {
        var low = 0
        var high = sleepers.count
        while low < high {
            let middle = (low + high) / 2
            if sleepers[middle].isLater(than: sleeper) { low = middle + 1 } else { high = middle }
        }
        sleepers.insert(sleeper, at: low)
    }

    fileprivate mutating func remove(_ number: Int) -> CheckedContinuation<Void, any Error>? {
        guard let index = sleepers.firstIndex(where: { $0.number == number }) else { return nil }
        return sleepers.remove(at: index).continuation
    }
}

extension VirtualTime.Sleeper {
    fileprivate func isLater(than other: VirtualTime.Sleeper) -> Bool {
        (deadline, number) > (other.deadline, other.number)
    }
}
