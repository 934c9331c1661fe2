import DeliveryQueue
import DeliveryWorker
import Foundation
import ProviderAPI
import RedeliverConfiguration

/// Keeps in the database which events are tests, so that the daemon does not retry them.
struct TestEventBook {
    private let endpoint: ProviderEndpoint
    private let path: String
    /// nil when there is no database yet.
    private let store: QueueStore?

    /// Opens the database before anything is sent.
    ///
    /// - Throws: `StoreError` for a database that is there and cannot be used: the test would be retried.
    init(_ settings: WorkerConfiguration, _ endpoint: ProviderEndpoint) throws {
        self.endpoint = endpoint
        path = settings.database
        let isThere = FileManager.default.fileExists(atPath: path)
        store = isThere ? try QueueStore.forOperator(path: path, now: WallClock.system.now) : nil
    }

    /// Notes a test that was sent; says so where that is not possible.
    ///
    /// - Throws: `StoreError` when the database cannot be written.
    func note(_ taskID: String?, event: String) async throws {
        guard let taskID else {
            return Note.print(
                """
                the answer names no task id, so the test cannot be told from a real event: if it fails, a running daemon \
                retries it; `redeliver deliveries` shows it
                """)
        }
        guard let store else {
            return Note.print("the test is not recorded, because there is no database \(path) yet: \(consequence)")
        }
        do {
            let note = try await store.noteTestEvent(
                endpoint: endpoint.id, taskID: taskID, eventType: event, by: Operator.name, at: WallClock.system.now)
            if note == .unknownEndpoint {
                Note.print("the test is not recorded, because the database does not know this endpoint: \(consequence)")
            }
        } catch {
            Note.print("the test event is sent as task \(Printable.text(taskID)), but not recorded: \(consequence)")
            throw error
        }
    }

    func close() {
        try? store?.close()
    }

    private var consequence: String { "a daemon that reads the endpoint's log retries it if it fails" }
}

/// Waits for the log to show what became of a test event.
struct TestWatch {
    let endpoint: ProviderEndpoint
    let taskID: String
    /// From one reading to the next.
    let interval: Duration
    let limit: Duration
    /// How much later than others an entry may appear.
    let overlap: Duration

    /// The newest final entry of the task; nil when none came in time.
    ///
    /// - Throws: `ProviderError` when the provider refuses to show the log; other failures are told on stderr and tried
    ///   again.
    func outcome(from client: ProviderClient) async throws -> LogTail.Line? {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        var tail = LogTail(newest: limit + overlap)
        while true {
            do {
                let lines = try await tail.read(endpoint.id, from: client).lines
                if let line = lines.last(where: { $0.taskID == taskID && $0.isFinal }) { return line }
            } catch let error as ProviderError where Exit.code(for: error) != Exit.refused {
                Note.print("\(error)")
            }
            let left = deadline - clock.now
            guard left > .zero else { return nil }
            try await clock.sleep(for: min(interval, left))
        }
    }
}

extension LogTail.Line {
    /// Whether the provider is done with it.
    fileprivate var isFinal: Bool { outcome == .succeeded || outcome == .failed }
}
