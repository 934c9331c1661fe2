#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Writes to open descriptors, of files, pipes and terminals alike.
package enum WholeWrite {
    /// Writes all bytes, however many calls of the system that takes. Waits where a pipe or terminal takes no more now.
    ///
    /// - Throws: what the system says; a part may be written then.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) throws(FileFault) {
        var left = bytes[...]
        while !left.isEmpty {
            let written = left.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress, buffer.count)
                #else
                    Darwin.write(descriptor, buffer.baseAddress, buffer.count)
                #endif
            }
            if written > 0 {
                left.removeFirst(written)
            } else if written == 0 {
                throw FileFault(code: ENOSPC)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&ready, 1, -1)
            } else if errno != EINTR {
                throw FileFault(code: errno)
            }
        }
    }
}
