import ArgumentParser
import DeliveryQueue
import Foundation
import LocalFiles

/// A new file for one secret, readable by its owner only. It never takes the place of another file.
struct SecretOutputFile {
    let path: String

    private var operation: String { "write the secret to \(path)" }

    /// Makes the file and removes it again, so that a secret is asked for only when there is a place for it.
    ///
    /// - Throws: `ValidationError` when the file exists already or cannot be made.
    init(creating path: String) throws {
        self.path = path
        // Not `fileExists`, which follows a link.
        guard (try? FileManager.default.attributesOfItem(atPath: path)) == nil else {
            throw ValidationError("cannot make \(path): it exists already and is not overwritten; name another file")
        }
        do throws(StoreError) {
            try write("")
        } catch {
            throw ValidationError("cannot make \(path): \(error.cause)")
        }
        discard()
    }

    /// Stores exactly the secret's bytes, without a line break. They are on the disk when this returns.
    ///
    /// - Throws: `StoreError`; nothing is left behind.
    func write(_ secret: String) throws(StoreError) {
        let file = try PendingFile(for: path, contents: Array(secret.utf8), operation: operation)
        defer { file.remove() }
        try file.publish()
    }

    /// Removes the file after `write`.
    func discard() {
        (try? OpenFolder(PendingFile.folder(of: path)))?.remove(PendingFile.name(of: path))
    }
}
