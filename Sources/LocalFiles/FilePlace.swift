#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where the path of a file leads: a folder that is open, and a name in it. Whatever is done by it is done there,
/// whatever becomes of the path, and no link that has taken the name meanwhile is followed.
package struct FilePlace: Sendable {
    package let folder: OpenFolder
    package let name: String

    package init(in folder: OpenFolder, name: String) {
        (self.folder, self.name) = (folder, name)
    }

    /// Follows a path to its end. Nothing need be there yet; as root it follows no link that another user made.
    package init(_ path: String) throws(FileFault) {
        var walk = try PathWalk(path)
        let end = try walk.file()
        self.init(in: try end.folder.openedToList(), name: end.name)
    }

    /// For people and for looks: the path without symbolic links.
    package var path: String { folder.path(of: name[...]) }

    /// For SQLite, which knows paths only: one that leads to this folder by its descriptor. Where `/proc` is missing it
    /// is the usual path.
    package var lastingPath: String { "\(folder.lastingPath)/\(name)" }

    /// What stands there; a link itself. nil: nothing.
    package var status: FileStatus? { folder.status(of: name) }

    /// The file beside it whose name ends so.
    package func beside(_ ending: String) -> FilePlace { FilePlace(in: folder, name: name + ending) }
}
