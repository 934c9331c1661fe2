import Foundation
import GRDB
import TestSupport

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

/// Operations on a database's files as a whole.
enum FileOperations {
    /// The start of a later release's daemon on a database of this one.
    static func migrate() async throws -> FaultedOperation {
        let folder = try TemporaryFolder()
        try make(folder.file("queue.db"), steps: 1)
        let files = ["queue.db": try Data(contentsOf: URL(filePath: folder.file("queue.db")))]
        return FaultedOperation(files: files, between: try partial(from: 2), usesStore: false) { subject in
            try LaterRelease.run {
                try QueueStore.forSimulation(path: subject.folder.database, isDurable: true, now: start).close()
            }
        }
    }

    /// The daemon's first start.
    static func create() async throws -> FaultedOperation {
        let empty = try TemporaryFolder()
        try Data().write(to: URL(filePath: empty.file("queue.db")))
        let states = [try FolderState.of(empty.path)]
        return FaultedOperation(files: [:], between: states, usesStore: false) { subject in
            try QueueStore.forSimulation(path: subject.folder.database, isDurable: true, now: start).close()
        }
    }

    static func backUp() async throws -> FaultedOperation {
        let queue = try await QueueFixture()
        try await queue.accepted("a", failed: start, called: start + .minutes(1))
        return try FaultedOperation(of: queue, usesStore: false) { subject in
            let reader = try QueueReader(path: subject.folder.database)
            _ = try await reader.backUp(to: subject.folder.file("backup.db"))
        }
    }

    /// The states after each of the first steps, beginning with this one and without the last.
    private static func partial(from first: Int) throws -> [[String]] {
        try (first..<LaterRelease.steps.count).map { count in
            let folder = try TemporaryFolder()
            try make(folder.file("queue.db"), steps: count)
            return try FolderState.of(folder.path)
        }
    }

    private static func make(_ path: String, steps: Int) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL")
            try Migrations.apply(Array(LaterRelease.steps.prefix(steps)), to: Session(db), at: start)
            _ = try db.checkpoint(.truncate)
        }
        try queue.close()
    }
}
