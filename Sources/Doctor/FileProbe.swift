import DeliveryQueue
import DeliveryWorker
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Asks the file system, without opening anything.
enum FileProbe {
    /// nil when the file does not exist, or its folder cannot be entered.
    static func look(_ path: String) -> FileFacts? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        let isFolder = facts.st_mode & S_IFMT == S_IFDIR
        #if canImport(Glibc)
            let modified = facts.st_mtim
        #else
            let modified = facts.st_mtimespec
        #endif
        return FileFacts(
            path: path, mode: UInt32(facts.st_mode) & 0o7777, user: facts.st_uid, group: facts.st_gid,
            bytes: Int64(facts.st_size),
            modified: Timestamp(milliseconds: Int64(modified.tv_sec) * 1_000 + Int64(modified.tv_nsec) / 1_000_000),
            isFolder: isFolder, isReadable: access(path, isFolder ? R_OK | X_OK : R_OK) == 0,
            isWritable: access(path, isFolder ? W_OK | X_OK : W_OK) == 0)
    }

    static func databaseFiles(_ path: String) -> DatabaseFiles {
        let main = look(path)
        return DatabaseFiles(
            folder: look(URL(fileURLWithPath: path).deletingLastPathComponent().path), main: main,
            wal: look(path + "-wal"), shm: look(path + "-shm"), lock: look(path + ".lock"),
            presence: look(path + ".running"),
            groupName: main.map { groupName($0.group) } ?? "")
    }

    /// - Parameter reserve: the configured one; nil: the usual share of the file system.
    static func disk(_ use: DiskFacts.Use, folder: String, reserve: Int64? = nil) -> DiskFacts {
        let space = DiskSpace(at: folder)
        return DiskFacts(
            use: use, folder: folder, freeBytes: space?.freeBytes, freeFiles: space?.freeFiles,
            reserve: reserve ?? DiskReserve.standard(ofFileSystem: space?.allBytes),
            network: NetworkDisk.name(at: folder))
    }

    private static func groupName(_ group: UInt32) -> String {
        guard let entry = getgrgid(group), let name = entry.pointee.gr_name else { return "\(group)" }
        return String(cString: name)
    }
}
