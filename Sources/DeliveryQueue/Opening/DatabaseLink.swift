import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Symbolic links at a database's path. An operator may name a link; whoever may write to the folder may plant one.
///
/// SQLite follows links at the database's own path, so it matters who made the link. Only root could do harm at the end of
/// somebody else's link, so root follows only its own. What stands beside the database is followed by nobody.
package enum DatabaseLink {
    /// The path without symbolic links, so that two names of one database share one lock. A file that does not exist
    /// yet keeps its path.
    package static func followed(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Refuses what must not be opened as a database: another user's link, for root; what is no file; and a database
    /// beside which something else stands in the place of SQLite's own files.
    ///
    /// - Throws: `inaccessible`, naming the path and what to do.
    package static func refuse(database path: String, operation: String) throws(StoreError) {
        try refuseForeignLink(path, operation)
        // SQLite would call a folder a disk I/O error, and would wait for a FIFO.
        if let kind = FileStatus(at: path)?.kindIfNoFile {
            throw StoreError(
                .inaccessible, operation: operation, cause: "it is \(kind), not a file",
                hint: "name a file in `database`")
        }
        try refuseCompanions(ofDatabase: path, operation: operation)
    }

    /// Refuses what stands beside a database under the name of a file of SQLite's and is no file. SQLite would wait
    /// for a FIFO, and has misleading words for the rest.
    ///
    /// - Throws: as `refuse`.
    package static func refuseCompanions(ofDatabase path: String, operation: String) throws(StoreError) {
        let real = followed(path)
        for name in PendingFile.companions.map({ real + $0 }) {
            guard let kind = FileStatus(named: name)?.kindIfNoFile else { continue }
            throw StoreError(
                .inaccessible, operation: operation, cause: "\(name) is \(kind), not a file",
                hint: "see who put it there, and remove it; SQLite makes its own")
        }
    }

    private static func refuseForeignLink(_ path: String, _ operation: String) throws(StoreError) {
        guard geteuid() == 0, let folder = try? OpenFolder(PendingFile.folder(of: path)),
            let link = folder.status(of: PendingFile.name(of: path)), link.isLink, link.user != 0
        else { return }
        throw StoreError(
            .inaccessible, operation: operation,
            cause: "it is a symbolic link that another user made (user \(link.user)), which root does not follow",
            hint: "name the file that it leads to, or run this as that user")
    }
}
