import Foundation
import LocalFiles

/// The failure database, with one writer. This type opens and closes it and runs transactions and reads, which stand in
/// the folders `Transaction` and `Reading`. Each change of state is one transaction.
///
/// All methods are safe to call from any task; writes wait for each other. The store never reads the clock.
package struct QueueStore: Sendable {
    let path: String
    /// Where it is opened.
    let place: FilePlace
    let connections: Connections
    /// nil for an operator's command, which may work beside the daemon.
    private let lock: InstanceLock?
    /// nil where there is no lock.
    private let tenure: Tenure?
    /// The copy from before this start changed the schema; nil: none was needed.
    package let keptCopy: String?
    /// Set only for a simulation: statements then run on the calling thread, and this is called before and after each
    /// transaction.
    private let simulated: (@Sendable () async -> Void)?

    /// Opens or creates the database, takes the instance lock and brings the schema up to date. An older database is
    /// copied first, see `keptCopy`.
    ///
    /// - Throws: `StoreError`; nothing was changed when the kind is `locked`, `foreign` or `incompatible`, or when the
    ///   folder lies on a network file system (`inaccessible`).
    package init(path: String, now: Timestamp) throws(StoreError) {
        try self.init(path: path, lock: InstanceLock(database: path), now: now)
    }

    /// Opens a database for a single change by an operator, also while the daemon works on it.
    ///
    /// - Throws: `inaccessible` when there is no such database, or on a network file system; `incompatible` when its
    ///   schema is not this program's: only the daemon changes it.
    package static func forOperator(path: String, now: Timestamp) throws(StoreError) -> QueueStore {
        if let place = try? FilePlace(path) { try NetworkDisk.refuse(place, operation: "open database \(path)") }
        let reader = try QueueReader(path: path)
        try reader.read("open") { _ in }
        try reader.close()
        return try QueueStore(path: path, lock: nil, now: now)
    }

    /// Opens a database for long work by an operator. When no daemon runs, this process holds the lock meanwhile and
    /// moves the write-ahead log into the file.
    ///
    /// - Throws: as `forOperator`.
    package static func forMaintenance(path: String, now: Timestamp) throws(StoreError) -> QueueStore {
        let beside = try forOperator(path: path, now: now)
        let lock: InstanceLock
        do throws(StoreError) {
            lock = try InstanceLock(database: path)
        } catch {
            guard error.kind == .locked else { throw error }
            return beside
        }
        try beside.close()
        return try QueueStore(path: path, lock: lock, now: now)
    }

    /// Opens or creates the database of a simulation, whose one thread must do everything in order: statements run on
    /// the calling thread.
    ///
    /// - Parameters:
    ///   - isDurable: false: nothing is synced, for a file that is thrown away.
    ///   - pause: called before and after each transaction: a simulation may let others run there, or end its worker.
    package static func forSimulation(
        path: String, isDurable: Bool, now: Timestamp, pause: @escaping @Sendable () async -> Void = {}
    ) throws(StoreError) -> QueueStore {
        try QueueStore(
            path: path, lock: InstanceLock(database: path), now: now, synchronous: isDurable ? .full : .off,
            simulated: pause)
    }

    /// - Parameters:
    ///   - lock: taken by the caller; nil for an operator's command.
    ///   - synchronous: `full` makes commits survive a loss of power; only a simulation may choose otherwise.
    package init(
        path: String, lock: InstanceLock?, now: Timestamp, synchronous: SQLiteSettings.Synchronous = .full,
        simulated: (@Sendable () async -> Void)? = nil
    ) throws(StoreError) {
        self.path = path
        self.lock = lock
        self.simulated = simulated
        do {
            place = try lock?.database ?? DatabaseLink.place(of: path, operation: "open database \(path)")
            try NetworkDisk.refuse(place, operation: "open database \(path)")
            try DatabaseLink.refuse(place, operation: "open database \(path)")
            try Self.refuseForeignFile(place)
            // Without the lock nothing is changed: an operator's command refuses an older schema.
            keptCopy = try lock.flatMap {
                try MigrationCopy(of: $0.database, before: Migrations.newest).keep(at: now)
            }
            connections = try Connections.pool(at: place)
            tenure = try connections.writeAloneHere { session in
                try Migrations.apply(to: session, at: now)
                try SQLiteSettings.prepareWriter(session, checkpoints: lock != nil, synchronous: synchronous)
                return try lock.map { try Tenure(of: path, holding: $0, in: session) }
            }
        } catch {
            throw StoreError(error, operation: "open database \(path)")
        }
    }

    /// Sizes in bytes of the main file and the write-ahead log, by `stat` alone; 0 when a file is missing.
    package static func fileSizes(ofDatabase path: String) -> (main: Int64, wal: Int64) {
        func size(_ path: String) -> Int64 {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
        }
        return (size(path), size(path + "-wal"))
    }

    /// Whether this process holds the instance lock, so that no daemon works beside it.
    package var isAlone: Bool { lock != nil }

    /// Looks whether this process may still work on the database.
    ///
    /// - Throws: `displaced`.
    package func confirmTenure() async throws(StoreError) {
        guard let tenure else { return }
        do {
            try tenure.confirmPlace()
            guard simulated == nil else { return try connections.examine { try tenure.confirm(in: $0) } }
            do {
                try await connections.read { try tenure.confirm(in: $0) }
            } catch  where EngineFault(error) != nil {
                // A file that was written over cannot always be read; the writing connection looks at nothing before.
                try await connections.writeAlone { try tenure.confirm(in: $0) }
            }
        } catch {
            throw StoreError(error, operation: "look whose database \(path) is")
        }
    }

    /// Moves everything from the write-ahead log into the main file, closes all connections and frees the lock. A
    /// second call changes nothing. Who has lost the database does what `Tenure.Parting` says.
    package func close() throws(StoreError) {
        do {
            let parting = tenure?.parting(from: connections)
            switch parting {
            case .checkpoint: try? connections.checkpoint()
            case .leaveLog, .setLogAside: connections.leaveLog()
            case nil: break
            }
            try connections.close()
            if let parting { tenure?.setLogAside(after: parting) }
        } catch {
            throw StoreError(error, operation: "close database")
        }
        lock?.release()
    }

    // MARK: - Transactions and reads

    /// Runs one transaction in which the retry rules decide; rolled back whole when `work` throws or the task is
    /// cancelled.
    func change<Value: Sendable>(
        _ operation: String, rules: RetryRules, at now: Timestamp,
        _ work: @Sendable @escaping (inout RuledTransaction) throws -> Value
    ) async throws(StoreError) -> Value {
        try await change(operation, { RuledTransaction($0, rules: rules, at: now) }, work)
    }

    /// Runs one transaction in which no retry rule decides; rolled back as any.
    func change<Value: Sendable>(
        _ operation: String, at now: Timestamp, _ work: @Sendable @escaping (inout PlainTransaction) throws -> Value
    ) async throws(StoreError) -> Value {
        try await change(operation, { PlainTransaction(session: $0, now: now) }, work)
    }

    private func change<Transaction: QueueTransaction & SendableMetatype, Value: Sendable>(
        _ operation: String, _ begin: @Sendable @escaping (Session) -> Transaction,
        _ work: @Sendable @escaping (inout Transaction) throws -> Value
    ) async throws(StoreError) -> Value {
        try await run(operation) { isSimulated in
            let whole: @Sendable (Session) throws -> Value = { [tenure] session in
                try tenure?.confirmToWrite(in: session)
                var queue = begin(session)
                let value = try work(&queue)
                try queue.finish()
                return value
            }
            return isSimulated ? try connections.writeHere(whole) : try await connections.write(whole)
        }
    }

    /// Runs work on the writing connection that must not be in a transaction.
    func writeAlone<Value: Sendable>(
        _ operation: String, _ work: @Sendable @escaping (Session) throws -> Value
    ) async throws(StoreError) -> Value {
        try await run(operation) { isSimulated in
            isSimulated ? try connections.writeAloneHere(work) : try await connections.writeAlone(work)
        }
    }

    /// Reads one consistent snapshot; never waits for a writer.
    func read<Value: Sendable>(
        _ operation: String, _ work: @Sendable @escaping (Session) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            guard simulated != nil else { return try await connections.read(work) }
            try Task.checkCancellation()
            return try connections.readHere(work)
        } catch {
            throw StoreError(error, operation: operation)
        }
    }

    private func run<Value>(
        _ operation: String, _ work: (_ isSimulated: Bool) async throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            guard let simulated else { return try await work(false) }
            await simulated()
            try Task.checkCancellation()
            let value = try await work(true)
            await simulated()
            return value
        } catch {
            throw StoreError(error, operation: operation)
        }
    }

    // MARK: - Opening

    /// Looks at an existing file before WAL is switched on, so that another program's database stays as it is.
    private static func refuseForeignFile(_ place: FilePlace) throws {
        do {
            try check(place, isReadOnly: true)
        } catch  where EngineFault(error) == .cannotOpen {
            return  // It does not exist yet, or the folder refuses us: creating it will tell which.
        } catch  where EngineFault(error) == .unfinishedWrite {
            // Its writer was interrupted, perhaps this program at its first start. The half-written change must be
            // rolled back before the file can be examined, as its own program would do.
            try check(place, isReadOnly: false)
        }
    }

    private static func check(_ place: FilePlace, isReadOnly: Bool) throws {
        let file = try Connections.bare(at: place, isReadOnly: isReadOnly)
        defer { try? file.close() }
        try file.readHere { try Migrations.check($0) }
    }
}
