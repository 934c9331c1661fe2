import LocalFiles

/// The right of this process to work on a database. It is confirmed in every transaction that writes: whoever has lost
/// it can change nothing any more, and so begins no call.
///
/// The lock alone is not enough. A removed lock file lets a second daemon in, and a database or a write-ahead log
/// that is moved away, removed or replaced would be written on into nothing.
struct Tenure: Sendable {
    private let path: String
    private let lock: InstanceLock
    /// Identifies the main file, and the two that stand beside it while it is open.
    private let main: FileStatus.Identity?
    private let companions: [String: FileStatus.Identity?]
    /// The path of the write-ahead log.
    private let log: String
    private let epoch: String
    private let mainFile: MainFile

    /// Begins: whoever had the database before finds another epoch now. Only the holder of the instance lock may begin.
    ///
    /// - Parameter path: the database that `session` is open on.
    init(of path: String, holding lock: InstanceLock, in session: Session) throws {
        (self.path, self.lock, epoch) = (path, lock, Seal.newEpoch())
        try Seal(epoch, 1).set(in: session)
        // The main file has the seal from the beginning, unless a reader is in the way.
        try? session.moveLogIntoFile()
        main = lock.database.status?.identity
        log = lock.database.path + "-wal"
        let companions = [lock.database.beside("-wal"), lock.database.beside("-shm")]
        self.companions = companions.reduce(into: [:]) { $0[$1.path] = .some($1.status?.identity) }
        mainFile = try MainFile(path: path, epoch: epoch, in: session)
    }

    /// - Throws: `displaced`, saying what has happened.
    func confirm(in session: Session) throws {
        _ = try confirmed(in: session)
    }

    /// As `confirm`, in a transaction that writes: it renews the seal where the main file has caught up with it.
    func confirmToWrite(in session: Session) throws {
        let seal = try confirmed(in: session)
        guard mainFile.sealNumber == seal.number else { return }
        try Seal(epoch, seal.number + 1).set(in: session)
    }

    private func confirmed(in session: Session) throws -> Seal {
        try confirmPlace()
        guard try mainFile.isOurs(in: session), let seal = try Seal.present(in: session), seal.epoch == epoch else {
            throw displaced(
                lock.isInPlace ? "another program has written over its file" : "another redeliver has taken it over",
                "see which redeliver runs, and what stands there now")
        }
        return seal
    }

    /// Looks whether the open files still stand at their paths. A file that does not cannot always be read any more.
    ///
    /// - Throws: as `confirm`.
    func confirmPlace() throws(StoreError) {
        guard isMainInPlace else {
            throw displaced("its file was moved, removed or replaced", "see what stands there now")
        }
        guard areCompanionsInPlace else {
            throw displaced("its -wal or -shm file was removed or replaced", "see who removes it")
        }
    }

    private var isMainInPlace: Bool { FileStatus(at: path)?.identity == main }

    private var areCompanionsInPlace: Bool {
        companions.allSatisfy { FileStatus(at: $0.key)?.identity == $0.value }
    }

    private func displaced(_ cause: String, _ look: String) -> StoreError {
        StoreError(
            .displaced, operation: "", cause: "\(cause); this redeliver no longer works on it",
            hint: "\(look), then start the daemon again")
    }

    // MARK: - The end

    /// What becomes of the write-ahead log when the database is closed.
    enum Parting {
        /// All of it goes into the main file that is open, wherever that stands now.
        case checkpoint
        /// It stays as it is: somebody else works with it.
        case leaveLog
        /// The main file is another database now, and the log would damage it: see `setLogAside`.
        case setLogAside
    }

    /// Looks once more what is ours.
    func parting(from connections: Connections) -> Parting {
        let isContentOurs = try? connections.writeAloneHere { session in
            try mainFile.isOurs(in: session) && Seal.present(in: session)?.epoch == epoch
        }
        if isContentOurs == true, isMainInPlace, areCompanionsInPlace { return .checkpoint }
        guard lock.isInPlace else { return .leaveLog }
        guard let isContentOurs else { return isMainInPlace ? .leaveLog : .setLogAside }
        guard isContentOurs else { return .setLogAside }
        // With the main file we still hold all of it. But a new log beside it may hold what somebody wrote since.
        return isMainInPlace && hasLogOfOthers ? .leaveLog : .checkpoint
    }

    /// Whether there is a log that is not ours alone: a new one, or ours with a new `-shm`, which holds its locks.
    private var hasLogOfOthers: Bool { (FileStatus(at: log)?.bytes ?? 0) > 0 }

    /// Gives our log another name where it stands beside another database, to which SQLite would apply it: `-wal.lost-`
    /// and the beginning of the epoch. Call it when all connections are closed.
    func setLogAside(after parting: Parting) {
        guard parting == .setLogAside || (parting == .checkpoint && !isMainInPlace), lock.isInPlace,
            let status = FileStatus(at: log), status.bytes > 0, status.identity == companions[log]
        else { return }
        let name = lock.database.name + "-wal"
        try? lock.database.folder.rename(name, to: "\(name).lost-\(epoch.prefix(8))")
    }
}
