#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Replaces a small file so that a reader sees the old text or the new one, never a part: temporary name in the same
/// folder, fsync, rename. The temporary name does not end in `.prom`, or node_exporter would read it too.
package enum TextFile {
    /// - Throws: `TextFileError` naming the step; the old file then stays as it was.
    static func replace(_ path: String, with text: String) throws {
        let temporary = temporaryName(of: path)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw TextFileError("create", temporary) }
        do {
            try write(Array(text.utf8), to: descriptor, path: temporary)
            // The umask may have taken the read permission that node_exporter needs.
            guard fchmod(descriptor, 0o644) == 0 else { throw TextFileError("set the mode of", temporary) }
            guard fsync(descriptor) == 0 else { throw TextFileError("sync", temporary) }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        guard close(descriptor) == 0 else { throw removing(temporary, after: TextFileError("close", temporary)) }
        guard rename(temporary, path) == 0 else { throw removing(temporary, after: TextFileError("rename to", path)) }
    }

    /// What a crash may leave behind.
    package static func temporaryName(of path: String) -> String { path + ".tmp" }

    /// Takes the error, and with it `errno`, before it removes the file.
    private static func removing(_ temporary: String, after error: TextFileError) -> TextFileError {
        unlink(temporary)
        return error
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws {
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress! + offset, bytes.count - offset)
                #else
                    Darwin.write(descriptor, buffer.baseAddress! + offset, bytes.count - offset)
                #endif
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw TextFileError("write", path) }
            offset += written
        }
    }
}

/// Why the metrics file could not be replaced.
struct TextFileError: Error, CustomStringConvertible {
    let description: String

    /// Reads `errno`; call it right after the failed step.
    init(_ step: String, _ path: String) {
        let cause = String(cString: strerror(errno))
        description = "\(step) \(path): \(cause); check `metrics.textfile`, its folder and the free space"
    }
}
