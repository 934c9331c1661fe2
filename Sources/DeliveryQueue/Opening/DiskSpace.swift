#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The room on a file system, as this user may use it.
package struct DiskSpace: Sendable, Equatable {
    package let freeBytes: Int64
    /// nil where the file system has no such limit.
    package let freeFiles: Int64?

    /// - Parameter folder: on the file system that is asked about.
    /// - Returns: nil when it does not tell.
    package init?(at folder: String) {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return nil }
        let (bytes, overflow) = Int64(clamping: facts.f_bavail).multipliedReportingOverflow(by: Int64(facts.f_frsize))
        freeBytes = overflow ? .max : bytes
        freeFiles = facts.f_files == 0 ? nil : Int64(clamping: facts.f_favail)
    }
}
