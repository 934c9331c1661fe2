import GRDBSQLite
import LocalFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Paths below `/proc/self/fd`, which lead to an open folder whatever becomes of its names.
///
/// SQLite resolves every link of a path before it opens the file, and so would turn such a path back into a name.
/// Here it learns to take these paths as they are. It still follows no link at their end.
enum DescriptorPaths {
    private typealias FullPath =
        @convention(c) (
            UnsafeMutablePointer<sqlite3_vfs>?, UnsafePointer<CChar>?, CInt, UnsafeMutablePointer<CChar>?
        ) -> CInt

    private static let prefix = "/proc/self/fd/"

    /// The path by which SQLite opens a file at a place, whatever has the place's usual path by then.
    static func path(to place: FilePlace) -> String {
        _ = usual
        return place.lastingPath
    }

    /// SQLite's own way, and that of its file system from now on is ours.
    private static let usual: FullPath? = {
        guard let system = sqlite3_vfs_find(nil) else { return nil }
        let usual = system.pointee.xFullPathname
        system.pointee.xFullPathname = { system, path, room, full in
            guard let path, let full, strncmp(path, DescriptorPaths.prefix, strlen(DescriptorPaths.prefix)) == 0 else {
                return DescriptorPaths.usual?(system, path, room, full) ?? SQLITE_CANTOPEN
            }
            guard strlen(path) < Int(room) else { return SQLITE_CANTOPEN }
            strcpy(full, path)
            return SQLITE_OK
        }
        return usual
    }()
}
