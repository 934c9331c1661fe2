import LocalFiles

/// Gives a file that another user made, root for example, to the user of the daemon.
enum FileOwner {
    /// Gives an open file the owner and group of the database beside it; where there is none, those of the folder.
    /// Changes nothing that this user may not change.
    ///
    /// - Parameter mode: the permissions that it gets; nil: those of the database, or 0640 where there is none.
    static func give(
        _ file: OpenFile, asBeside database: FilePlace, mode: UInt32? = nil, operation: String
    ) throws(StoreError) {
        // What is no file there, a link for example, is no model.
        let beside = database.status.flatMap { $0.isRegular ? $0 : nil }
        if let model = try? beside ?? database.folder.status() {
            file.give(toUser: model.user, group: model.group)
        }
        do throws(FileFault) {
            try file.setPermissions(mode ?? beside.map { $0.permissions & 0o777 } ?? 0o640)
        } catch {
            throw StoreError(error, .inaccessible, operation: "\(operation): set the mode of a file")
        }
    }
}
