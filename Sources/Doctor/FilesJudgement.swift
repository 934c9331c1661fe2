import DeliveryQueue

/// Judges who may read the database: on-call must be able to, others must not.
enum FilesJudgement {
    private static let name = "permissions"

    static func finding(_ files: DatabaseFiles?, _ daemon: DaemonPresence?) -> Finding {
        guard let files else { return Finding(name, .unknown, "no database is named") }
        guard let main = files.main else { return Finding(name, .unknown, "there is no database file to look at") }
        let opinions = [exposed(files), unreadable(files), companions(files, daemon), group(files)].compactMap { $0 }
        return Finding.worst(opinions)
            ?? Finding(
                name, .ok,
                "file \(main.modeText), folder \(files.folder?.modeText ?? "-"), group \(files.groupName), readable by you"
            )
    }

    /// Bodies hold people's identity data.
    private static func exposed(_ files: DatabaseFiles) -> Finding? {
        if let open = files.all.first(where: { $0.mode & 0o007 != 0 }) {
            return Finding(
                name, .bad, "\(open.path) has mode \(open.modeText): every user of this machine can use it",
                advice: "chmod o-rwx \(open.path)")
        }
        guard let folder = files.folder, folder.mode & 0o002 != 0, folder.mode & 0o1000 == 0 else { return nil }
        return Finding(
            name, .bad, "\(folder.path) has mode \(folder.modeText): every user can replace the database",
            advice: "chmod o-w \(folder.path)")
    }

    private static func unreadable(_ files: DatabaseFiles) -> Finding? {
        let closed = [files.folder, files.main, files.wal, files.shm].compactMap { $0 }.first { !$0.isReadable }
        guard let closed else { return nil }
        return Finding(
            name, .bad, "you cannot read \(closed.path) (mode \(closed.modeText))",
            advice: "join the group \(files.groupName), or run the doctor as the daemon's user")
    }

    /// SQLite needs both files to read a database in WAL mode, and a user who may only read cannot create them.
    private static func companions(_ files: DatabaseFiles, _ daemon: DaemonPresence?) -> Finding? {
        guard files.wal == nil || files.shm == nil else { return nil }
        let missing = [files.wal == nil ? "-wal" : nil, files.shm == nil ? "-shm" : nil].compactMap { $0 }
            .joined(separator: " and ")
        if case .running = daemon {
            return Finding(
                name, .bad, "\(missing) removed under the running daemon, which ends when it notices",
                advice: "find out who removes them, then start the daemon again")
        }
        return Finding(
            name, .warning, "\(missing) missing: a user who may only read cannot open the database",
            advice:
                "`redeliver doctor --fix` makes them again; sqlite3 removes them when who may write opens the stopped "
                + "database with it")
    }

    private static func group(_ files: DatabaseFiles) -> Finding? {
        if let lock = files.lock, lock.mode & 0o070 != 0 {
            return Finding(
                name, .warning,
                "\(lock.path) has mode \(lock.modeText): its group can keep the daemon from starting",
                advice: "chmod 600 \(lock.path)")
        }
        if let closed = files.readable.first(where: { $0.mode & 0o040 == 0 }) {
            return Finding(
                name, .warning, "\(closed.path) has mode \(closed.modeText): its group cannot read it",
                advice: "`redeliver doctor --fix` adds the group's right to read")
        }
        guard let folder = files.folder else { return nil }
        if folder.mode & 0o050 != 0o050, folder.mode & 0o005 != 0o005 {
            return Finding(
                name, .warning, "\(folder.path) has mode \(folder.modeText): the group cannot enter it",
                advice: "chmod 2750 \(folder.path)")
        }
        guard let stray = files.readable.first(where: { $0.group != files.main?.group }) else { return nil }
        return Finding(
            name, .warning, "\(stray.path) has another group than the database",
            advice: "chgrp \(files.groupName) \(stray.path); chmod g+s \(folder.path) keeps it so for new files")
    }
}
