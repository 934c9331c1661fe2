#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Gives a file that another user made, root for example, to the user of the daemon.
package enum FileOwner {
    /// Gives a file the owner, group and mode of the database beside it; where there is none, the folder's owner and
    /// group and mode 0640. Changes nothing that this user may not change.
    package static func give(path: String, asBeside database: String) throws(StoreError) {
        var model = stat()
        var mode: mode_t = 0o640
        if stat(database, &model) == 0 {
            mode = model.st_mode & 0o777
        } else if stat(PendingFile.folder(of: database), &model) != 0 {
            return
        }
        if chown(path, model.st_uid, model.st_gid) != 0 { _ = chown(path, uid_t.max, model.st_gid) }
        guard chmod(path, mode) == 0 else {
            throw StoreError(errno: errno, .inaccessible, operation: "set the mode of \(path)")
        }
    }
}
