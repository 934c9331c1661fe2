#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension OpenFolder {
    private typealias Statfs = @convention(c) (CInt, UnsafeMutableRawPointer) -> CInt

    /// The type number of the file system that it lies on, as in linux/magic.h; nil where the system does not tell.
    ///
    /// It is the `f_type` of `fstatfs`, which Swift's `Glibc` lacks: a `long` at the start of a structure of less than
    /// 256 bytes.
    package var fileSystemType: UInt32? {
        #if os(Linux)
            guard let symbol = dlsym(nil, "fstatfs") else { return nil }
            let statfs = unsafeBitCast(symbol, to: Statfs.self)
            return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 16) { facts in
                guard let start = facts.baseAddress, statfs(descriptor, start) == 0 else { return nil }
                return UInt32(truncatingIfNeeded: facts.load(as: CLong.self))
            }
        #else
            return nil
        #endif
    }
}
