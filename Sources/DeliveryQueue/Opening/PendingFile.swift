import Foundation
package import LocalFiles

/// A file that is still being made, under a temporary name in its folder. Readers see the old state or the whole new
/// file, never a part of it.
package struct PendingFile: Sendable {
    /// Where the file will stand.
    let target: String
    private let operation: String
    /// Opened once: what is renamed and removed stands there, whatever has the folder's path by then.
    private let folder: OpenFolder
    /// Where the file is made: `folder`, or for a database a folder of its own in it, which nobody else can enter.
    private let workplace: OpenFolder
    private let isAlone: Bool
    private let name: String
    private let file: OpenFile

    /// What stands between the final name and the characters that nobody can know.
    private static let mark = ".partial-"

    /// Makes the file under a name that no other file has and that nobody can know before.
    ///
    /// - Parameters:
    ///   - mode: its permissions, whatever the umask; for this user only unless told otherwise.
    ///   - contents: all of its bytes.
    ///   - operation: what the caller does, for errors.
    /// - Throws: `inaccessible` when the file cannot be made, `storage` when the disk does not take the contents.
    package init(
        for target: String, mode: UInt32 = 0o600, contents: [UInt8] = [], operation: String
    ) throws(StoreError) {
        (self.target, self.operation) = (target, operation)
        do throws(FileFault) {
            folder = try OpenFolder(Self.folder(of: target))
            (name, file) = try folder.makeNew(beginning: Self.name(of: target) + Self.mark)
        } catch {
            throw Self.folderRefuses(error, operation)
        }
        (workplace, isAlone) = (folder, false)
        do throws(FileFault) {
            try file.write(contents)
            if mode != 0o600 { try file.setPermissions(mode) }
        } catch {
            remove()
            throw diskRefuses(error)
        }
    }

    /// Makes the file of a database, to which SQLite writes by `place`.
    ///
    /// SQLite opens files by their names and follows links, and whoever may write to the target's folder could put
    /// one in the place of the new file: root would write into the link's target. So the file, and SQLite's own
    /// beside it, stand in a folder that only this user can enter, and SQLite gets there by our descriptor of it.
    ///
    /// - Throws: `inaccessible` when it cannot be made.
    package init(forDatabase target: FilePlace, operation: String) throws(StoreError) {
        (self.target, self.operation, folder) = (target.path, operation, target.folder)
        do throws(FileFault) {
            (name, workplace) = try folder.makeNewFolder(beginning: target.name + Self.mark)
            file = try workplace.make(name)
        } catch {
            throw Self.folderRefuses(error, operation)
        }
        isAlone = true
    }

    /// As above, for a path whose last name is no link.
    package init(forDatabase target: String, operation: String) throws(StoreError) {
        let folder: OpenFolder
        do throws(FileFault) {
            folder = try OpenFolder(Self.folder(of: target))
        } catch {
            throw Self.folderRefuses(error, operation)
        }
        try self.init(forDatabase: FilePlace(in: folder, name: Self.name(of: target)), operation: operation)
    }

    private static func folderRefuses(_ fault: FileFault, _ operation: String) -> StoreError {
        StoreError(
            fault, .inaccessible, operation: operation,
            hint: "check that the folder exists and that this user may write to it")
    }

    /// Where SQLite opens the file of a database.
    package var place: FilePlace { FilePlace(in: workplace, name: name) }

    /// The endings of the files that SQLite puts beside a database.
    package static let companions = ["-wal", "-shm", "-journal"]

    /// Gives the file to the user of the database beside which it will stand.
    package func give(asBeside database: FilePlace) throws(StoreError) {
        try FileOwner.give(file, asBeside: database, operation: operation)
    }

    /// Gives the file its final name, unless another file has it. It is on the disk when this returns.
    package func publish() throws(StoreError) {
        try finish()
        // Unlike a rename, a hard link never takes the place of a file that is there already.
        do throws(FileFault) {
            try workplace.link(name, to: Self.name(of: target), in: folder)
        } catch {
            throw StoreError(
                error, .inaccessible, operation: operation,
                hint: error.code == EEXIST
                    ? "name another file, or move that one away" : "name a folder on a local disk of this machine")
        }
        remove()
        try syncFolder()
    }

    /// Puts the file in the place of the one that has its final name, in one step. It is on the disk when this returns.
    package func replace() throws(StoreError) {
        try finish()
        do throws(FileFault) {
            try workplace.rename(name, to: Self.name(of: target), in: folder)
        } catch {
            throw StoreError(error, .inaccessible, operation: operation)
        }
        remove()
        try syncFolder()
    }

    /// Removes the unfinished file; does nothing once it has its final name.
    package func remove() {
        for ending in [""] + Self.companions { workplace.remove(name + ending) }
        if isAlone { folder.removeEmptyFolder(name) }
    }

    /// Brings the file to the disk, and makes sure that it is the one that was made here.
    ///
    /// Whoever may write to the folder can put another file, or a link, in its place. That is found out here, before
    /// the name counts.
    private func finish() throws(StoreError) {
        do throws(FileFault) {
            try file.sync()
            let identity = try file.status().identity
            guard workplace.status(of: name)?.identity == identity else {
                throw FileFault("another program has put something else in the place of \(workplace.path)/\(name)")
            }
        } catch {
            throw diskRefuses(error)
        }
    }

    private func syncFolder() throws(StoreError) {
        do throws(FileFault) {
            try folder.sync()
        } catch {
            throw diskRefuses(error)
        }
    }

    private func diskRefuses(_ fault: FileFault) -> StoreError {
        StoreError(
            fault, .storage, operation: operation, hint: fault.code == nil ? nil : "check the disk and its free space")
    }

    // MARK: - Names

    package static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    /// The last part of a path.
    package static func name(of path: String) -> String {
        URL(fileURLWithPath: path).lastPathComponent
    }

    /// The final name of the file that an unfinished one was to become; nil: the name is not one of ours.
    package static func finalName(ofUnfinished name: String) -> String? {
        guard let mark = name.range(of: Self.mark, options: .backwards),
            name[mark.upperBound...].count == OpenFolder.unpredictableLength
        else { return nil }
        return String(name[..<mark.lowerBound])
    }

    /// What a `kill -9` or a loss of power left of files that were to become `target`: their names in its folder.
    package static func unfinished(of target: String) -> [String] {
        guard let folder = try? OpenFolder(folder(of: target)) else { return [] }
        return folder.names().filter { finalName(ofUnfinished: $0) == name(of: target) }.sorted()
    }

    /// Removes them. Only for a target that this process alone writes.
    package static func removeUnfinished(of target: String) {
        guard let folder = try? OpenFolder(folder(of: target)) else { return }
        for name in unfinished(of: target) { folder.removeWhole(name) }
    }
}

extension StoreError {
    /// A failed call about a file.
    package init(_ fault: FileFault, _ kind: Kind, operation: String, hint: String? = nil) {
        self.init(kind, operation: operation, cause: fault.description, hint: hint)
    }
}
