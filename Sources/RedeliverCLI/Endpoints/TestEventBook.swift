import DeliveryQueue
import DeliveryWorker
import Foundation
import ProviderAPI
import RedeliverConfiguration

/// Marks test events in the database, so that the daemon does not retry them.
struct TestEventBook {
    private let endpoint: ProviderEndpoint
    private let path: String
    /// nil when there is no database yet.
    private let store: QueueStore?

    /// Opens the database before anything is sent.
    ///
    /// - Throws: `StoreError` when the database exists and cannot be used; the test event would be retried.
    init(_ settings: WorkerConfiguration, _ endpoint: ProviderEndpoint) throws {
        self.endpoint = endpoint
        path = settings.database
        let isThere = FileManager.default.fileExists(atPath: path)
        store = isThere ? try QueueStore.forOperator(path: path, now: WallClock.system.now) : nil
    }

    /// Marks a test event that was sent, or prints why it cannot.
    ///
    /// - Throws: `StoreError` when the database cannot be written.
    func note(_ taskID: String?, event: String) async throws {
        guard let taskID else {
            return Note.print(
                """
                the answer names no task id, so the test event looks like a real event: if it fails, a running daemon retries \
                it; `redeliver deliveries list` shows it
                """)
        }
        guard let store else {
            return Note.print(
                "the test event is not recorded, because the database \(path) does not exist yet: \(consequence)")
        }
        do {
            let note = try await store.noteTestEvent(
                endpoint: endpoint.id, taskID: taskID, eventType: event, by: Operator.name,
                at: WallClock.system.now)
            if note == .unknownEndpoint {
                Note.print(
                    "the test event is not recorded, because the endpoint is not in the database: \(consequence)")
            }
        } catch {
            Note.print(
                "the test event was sent as task \(Printable.text(taskID)) but could not be recorded: \(consequence)")
            throw error
        }
    }

    func close() {
        try? store?.close()
    }

    private var consequence: String { "if it fails, a daemon that reads the endpoint's log retries it" }
}

/// Waits until the log shows a test event's result.
struct TestWatch {
    let endpoint: ProviderEndpoint
    let taskID: String
    /// The time between two readings.
    let interval: Duration
    let limit: Duration
    /// How late an entry may appear.
    let overlap: Duration

    /// The newest final entry of the task; nil when none came in time.
    ///
    /// - Throws: `ProviderError` when the provider refuses the log; after other errors it tries again.
    func outcome(from client: ProviderClient) async throws -> LogTail.Line? {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        var tail = LogTail(newest: limit + overlap)
        while true {
            do {
                let reading = try await tail.read(endpoint.id, from: client)
                if let fault = reading.fault { Note.print("\(fault)") }
                if let line = reading.lines.last(where: { $0.taskID == taskID && $0.isFinal }) { return line }
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
    /// Whether the provider is done with the task.
    fileprivate var isFinal: Bool { outcome == .succeeded || outcome == .failed }
}
