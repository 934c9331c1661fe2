import Foundation
import Synchronization

/// A thread of its own for asynchronous work: what a test sets for a thread, such as an allocation that fails, then
/// concerns that work and nothing else.
final class OneThread: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    private let work = DispatchSemaphore(value: 0)
    private let isEnded = Mutex(false)

    /// Runs `body` on a new thread, which ends with it.
    static func run<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        let executor = OneThread()
        let thread = Thread { executor.serve() }
        thread.stackSize = 8 << 20
        thread.start()
        defer {
            executor.isEnded.withLock { $0 = true }
            executor.work.signal()
        }
        return try await withTaskExecutorPreference(executor) { try await body() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        jobs.withLock { $0.append(unowned) }
        work.signal()
    }

    private func serve() {
        while true {
            work.wait()
            if let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else if isEnded.withLock({ $0 }) {
                return
            }
        }
    }
}
