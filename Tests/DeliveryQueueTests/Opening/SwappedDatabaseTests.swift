import Foundation
import Synchronization
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// Whoever owns the folder of the database puts a link in its place after root has looked and before SQLite opens it.
@Suite struct SwappedDatabaseTests {
    private let folder: TemporaryFolder
    private let elsewhere: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        elsewhere = try TemporaryFolder()
        path = folder.file("queue.db")
        try QueueStore(path: path, now: start).close()
    }

    /// What the link leads to.
    enum Victim: CaseIterable {
        case database, empty, missing
    }

    enum Opening: CaseIterable {
        case daemon, reader, `operator`, maintenance

        func run(_ path: String) throws {
            switch self {
            case .daemon: try QueueStore(path: path, now: start).close()
            case .reader: try QueueReader(path: path).close()
            case .operator: try QueueStore.forOperator(path: path, now: start).close()
            case .maintenance: try QueueStore.forMaintenance(path: path, now: start).close()
            }
        }
    }

    private func make(_ victim: Victim) throws -> String {
        let file = elsewhere.file("precious")
        switch victim {
        case .database:
            // An open log, which the last connection that closes would move into it.
            let other = try TemporaryFolder()
            let queue = try QueueStore(path: other.file("queue.db"), now: start)
            for (ending, copy) in [("", file), ("-wal", file + "-wal")] {
                try FileManager.default.copyItem(atPath: other.file("queue.db" + ending), toPath: copy)
            }
            try queue.close()
        case .empty: try Data().write(to: URL(filePath: file))
        case .missing: break
        }
        return file
    }

    private func files(in folder: TemporaryFolder) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return Dictionary(
            uniqueKeysWithValues: try names.map { ($0, try Data(contentsOf: URL(filePath: folder.file($0)))) })
    }

    /// At each of the looks in turn, until one opening ends before its turn comes.
    @Test(arguments: Opening.allCases, Victim.allCases)
    func `a link that is planted after the look is not followed`(_ opening: Opening, _ victim: Victim) throws {
        let target = try make(victim)
        let before = try files(in: elsewhere)
        for number in 1... {
            let looks = Mutex(0)
            let swap: @Sendable () -> Void = { [path] in
                guard
                    looks.withLock({
                        $0 += 1; return $0
                    }) == number
                else { return }
                try? FileManager.default.removeItem(atPath: path)
                try? FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
            }
            let result = Result { try DatabaseLink.$whenLooked.withValue(swap) { try opening.run(path) } }

            #expect(try files(in: elsewhere) == before, "look \(number)")
            guard looks.withLock({ $0 }) >= number else { break }
            #expect(throws: StoreError.self, "look \(number)") { try result.get() }
            for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
            try QueueStore(path: path, now: start).close()
        }
    }

    @Test func `a link that takes the folder's name after the look is not followed`() throws {
        let swap: @Sendable () -> Void = { [folder, elsewhere] in
            let moved = folder.path + "-moved"
            guard (try? FileManager.default.moveItem(atPath: folder.path, toPath: moved)) != nil else { return }
            try? FileManager.default.createSymbolicLink(atPath: folder.path, withDestinationPath: elsewhere.path)
        }
        defer {
            try? FileManager.default.removeItem(atPath: folder.path)
            try? FileManager.default.moveItem(atPath: folder.path + "-moved", toPath: folder.path)
        }
        let store = try? DatabaseLink.$whenLooked.withValue(swap) { try QueueStore(path: path, now: start) }
        try? store?.close()

        #expect(try files(in: elsewhere) == [:])
    }
}
