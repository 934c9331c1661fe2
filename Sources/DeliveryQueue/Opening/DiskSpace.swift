#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The free room on a file system that this user may use.
package struct DiskSpace: Sendable, Equatable {
    package let freeBytes: Int64
    /// nil where the file system has no such limit.
    package let freeFiles: Int64?

    /// - Parameter folder: any folder on the file system.
    /// - Returns: nil when the file system does not tell.
    package init?(at folder: String) {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return nil }
        let (bytes, overflow) = Int64(clamping: facts.f_bavail).multipliedReportingOverflow(by: Int64(facts.f_frsize))
        freeBytes = overflow ? .max : bytes
        freeFiles = facts.f_files == 0 ? nil : Int64(clamping: facts.f_favail)
    }
}
