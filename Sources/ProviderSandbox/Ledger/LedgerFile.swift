import Foundation

/// The ledger on disk: one JSON line for each event, synced before the sandbox answers.
///
/// Tests that kill processes read it afterwards, so each line in it must be true and complete.
actor LedgerFile {
    private let handle: FileHandle
    private var pending: [UInt8] = []
    /// The number of the batch that collects lines now.
    private var batch = 0
    private var failure: (any Error)?

    /// Opens the file for appending. Creates it when it is missing.
    ///
    /// - Throws: `Unreadable` when the file cannot be created or opened.
    init(path: String) throws(Unreadable) {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let handle = FileHandle(forUpdatingAtPath: path), (try? handle.seekToEnd()) != nil else {
            throw Unreadable("ledger: \(path) cannot be opened for writing")
        }
        self.handle = handle
    }

    /// Appends whole lines and returns when they are on the disk.
    ///
    /// - Throws: the error of the first failed write, from then on at each call, because such a ledger proves nothing.
    func append(_ lines: [[UInt8]]) async throws {
        for line in lines {
            pending += line
            pending.append(UInt8(ascii: "\n"))
        }
        let mine = batch
        // Other callers add their lines meanwhile, so that one sync serves them all.
        await Task.yield()
        if mine == batch { flush() }
        if let failure { throw failure }
    }

    private func flush() {
        batch += 1
        let text = pending
        pending.removeAll(keepingCapacity: true)
        do {
            try handle.write(contentsOf: Data(text))
            try handle.synchronize()
        } catch {
            failure = failure ?? error
        }
    }
}
