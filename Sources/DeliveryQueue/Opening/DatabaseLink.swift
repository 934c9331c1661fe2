package import LocalFiles

/// Symbolic links at a database's path. An operator may name a link; whoever may write to the folder may plant one.
///
/// SQLite follows links, and looks anew each time that it opens the file. So it gets a place instead: the folder that
/// was opened, and the name in it, whose links are followed by nobody any more.
package enum DatabaseLink {
    /// Follows a database's path once. Whoever looks at the database, locks it and opens it must do so at this one
    /// place. Two names of one database lead to one place.
    ///
    /// - Throws: `inaccessible`, naming the path and what to do: its folder cannot be entered, or a link leads there
    ///   that root does not follow (`PathWalk`).
    package static func place(of path: String, operation: String) throws(StoreError) -> FilePlace {
        do throws(FileFault) {
            return try FilePlace(path)
        } catch {
            throw refusal(error, operation: operation)
        }
    }

    /// The error for a path that cannot be followed.
    static func refusal(_ fault: FileFault, operation: String) -> StoreError {
        StoreError(
            fault, .inaccessible, operation: operation,
            hint: fault.code == nil
                ? "name the file that it leads to, or run this as that user"
                : "check that the folder exists and that this user may write to it")
    }

    /// Refuses what must not be opened as a database: what is no file, and a database beside which something else
    /// stands in the place of SQLite's own files. SQLite would call a folder a disk I/O error, would wait for a FIFO,
    /// and has misleading words for the rest.
    ///
    /// - Throws: `inaccessible`, naming the file and what to do.
    package static func refuse(_ database: FilePlace, operation: String) throws(StoreError) {
        if let kind = database.status?.kindIfNoFile {
            throw StoreError(
                .inaccessible, operation: operation, cause: "it is \(kind), not a file",
                hint: "name a file in `database`")
        }
        for companion in PendingFile.companions.map(database.beside) {
            guard let kind = companion.status?.kindIfNoFile else { continue }
            throw StoreError(
                .inaccessible, operation: operation, cause: "\(companion.path) is \(kind), not a file",
                hint: "see who put it there, and remove it; SQLite makes its own")
        }
        whenLooked()
    }

    /// Called when a database was looked at, before it is opened. Only tests set it, to change what stands there.
    @TaskLocal static var whenLooked: @Sendable () -> Void = {}
}
