import Foundation

@testable import DeliveryQueue
@testable import QueueFixtures

/// Something that is done to a database while its disk or memory fails.
struct FaultedOperation: Sendable {
    /// What it works on.
    struct Subject: Sendable {
        let folder: FaultyFolder
        /// nil: the operation opens what it needs itself.
        let store: QueueStore?

        /// - Throws: when the operation needs a store.
        func open() throws -> QueueStore {
            guard let store else { throw CocoaError(.fileReadUnknown) }
            return store
        }
    }

    /// The folder's files before it.
    let files: [String: Data]
    /// Where the operation is several transactions: the states between them.
    var between: [[String]] = []
    var usesStore = true
    /// Does the operation, with the same input each time. Done again after a failure, it must end as if nothing had
    /// failed.
    let run: @Sendable (Subject) async throws -> Void

    /// Closes a fixture's database and keeps it as the state before the operation.
    init(
        of queue: QueueFixture, between: [[String]] = [], usesStore: Bool = true,
        run: @escaping @Sendable (Subject) async throws -> Void
    ) throws {
        try queue.store.close()
        self.init(
            files: ["queue.db": try Data(contentsOf: URL(filePath: queue.path))], between: between,
            usesStore: usesStore, run: run)
    }

    init(
        files: [String: Data], between: [[String]] = [], usesStore: Bool = true,
        run: @escaping @Sendable (Subject) async throws -> Void
    ) {
        (self.files, self.between, self.usesStore, self.run) = (files, between, usesStore, run)
    }

    /// The state of the folder after `work` was done to it undisturbed; without `work`, before it.
    func state(after work: (@Sendable (Subject) async throws -> Void)?) async throws -> [String] {
        let folder = try FaultyFolder(files)
        let subject = try subject(in: folder)
        try await work?(subject)
        return try FolderState.of(folder.path)
    }

    /// Synced as in production. Statements run on the calling thread, so the calls to the disk have one order.
    func subject(in folder: FaultyFolder) throws -> Subject {
        let store = usesStore ? try QueueStore.forSimulation(path: folder.database, isDurable: true, now: start) : nil
        return Subject(folder: folder, store: store)
    }
}
