#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The room on a file system that this user may use.
package struct DiskSpace: Sendable, Equatable {
    package let freeBytes: Int64
    /// The size of the file system.
    package let allBytes: Int64
    /// nil where the file system has no such limit.
    package let freeFiles: Int64?

    /// - Parameter folder: any folder on the file system.
    /// - Returns: nil when the file system does not tell.
    package init?(at folder: String) {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return nil }
        func bytes(_ blocks: some BinaryInteger) -> Int64 {
            let (bytes, overflow) = Int64(clamping: blocks).multipliedReportingOverflow(by: Int64(facts.f_frsize))
            return overflow ? .max : bytes
        }
        freeBytes = bytes(facts.f_bavail)
        allBytes = bytes(facts.f_blocks)
        freeFiles = facts.f_files == 0 ? nil : Int64(clamping: facts.f_favail)
    }
}
