import ArgumentParser
import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A new file for one secret, readable by its owner only. It is made before the secret is asked for, so that a secret is
/// never lost for want of a place, and it never takes the place of another file.
final class SecretOutputFile {
    let path: String
    private let descriptor: Int32
    private var isOpen = true

    /// - Throws: `ValidationError` when the file exists already or cannot be made.
    init(creating path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let cause =
                errno == EEXIST
                ? "it exists already and is not overwritten; name another file" : String(cString: strerror(errno))
            throw ValidationError("cannot make \(path): \(cause)")
        }
        self.path = path
        self.descriptor = descriptor
        // A umask may take even the owner's permission.
        guard fchmod(descriptor, 0o600) == 0 else {
            let cause = String(cString: strerror(errno))
            discard()
            throw ValidationError("cannot make \(path) private: \(cause)")
        }
    }

    /// Stores exactly the secret's bytes, without a line break, and waits until the disk has them.
    ///
    /// - Throws: `OutputFault`; nothing is left behind.
    func write(_ secret: String) throws {
        do {
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
            try file.write(contentsOf: Data(secret.utf8))
            try file.synchronize()
        } catch {
            discard()
            throw OutputFault("write the secret to \(path)", error)
        }
        release()
        syncFolder()
    }

    /// Removes the file again, with or without its secret.
    func discard() {
        release()
        unlink(path)
    }

    /// Otherwise the file's name could be lost in a crash although its content is on the disk. Best effort: not every
    /// file system can.
    private func syncFolder() {
        let folder = open(URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private func release() {
        guard isOpen else { return }
        isOpen = false
        close(descriptor)
    }
}
