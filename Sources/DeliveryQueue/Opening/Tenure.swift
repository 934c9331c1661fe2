import LocalFiles

/// The right of this process to work on a database. It is confirmed in every transaction that writes: whoever has lost
/// it can change nothing any more, and so begins no call.
///
/// The lock alone is not enough. A removed lock file lets a second daemon in, and a database that is moved away or
/// replaced would be written on into nothing.
struct Tenure: Sendable {
    private let path: String
    private let identity: FileStatus.Identity?
    /// A random token, which the database holds as long as nobody else has begun.
    private let epoch: String

    /// Begins: whoever had the database before finds another epoch now. Only the holder of the instance lock may begin.
    ///
    /// - Parameter path: the database that `session` is open on.
    init(of path: String, in session: Session) throws {
        self.path = path
        identity = FileStatus(at: path)?.identity
        epoch = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined(separator: "-")
        try session.run(
            """
            INSERT INTO daemon (id, epoch) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch
            """, [epoch])
    }

    /// - Throws: `displaced`, saying what has happened.
    func confirm(in session: Session) throws {
        try confirmPlace()
        guard try session.first("SELECT epoch FROM daemon", [], { $0.text() }) == epoch else {
            throw displaced(
                "another redeliver has taken it over, or its file was overwritten", "see which redeliver runs now")
        }
    }

    /// Looks whether the open file still stands at its path. A file that does not cannot always be read any more.
    ///
    /// - Throws: as `confirm`.
    func confirmPlace() throws(StoreError) {
        guard FileStatus(at: path)?.identity == identity else {
            throw displaced("its file was moved, removed or replaced", "see what stands there now")
        }
    }

    private func displaced(_ cause: String, _ look: String) -> StoreError {
        StoreError(
            .displaced, operation: "", cause: "\(cause); this redeliver no longer works on it",
            hint: "\(look), then start the daemon again")
    }
}
