#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Why a file could not be opened, read or changed. Its description completes "NAME: …" and shows nothing of the file.
package struct FileFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The system's number; nil when the file itself is not what is wanted.
    package let code: Int32?
    package let description: String

    package init(_ description: String) {
        code = nil
        self.description = description
    }

    /// - Parameter code: `errno` after the call that failed.
    package init(code: Int32) {
        self.code = code
        description =
            switch code {
            // Only `O_NOFOLLOW` makes a link an error.
            case ELOOP: "it is a symbolic link, which is not followed here"
            case ENXIO: "it is a FIFO, a socket or a device, not a file"
            default: String(cString: strerror(code))
            }
    }

    init(code: Int32, _ description: String) {
        (self.code, self.description) = (code, description)
    }

    /// Whether there is no such file.
    package var isMissing: Bool { code == ENOENT }
}
