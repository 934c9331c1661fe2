/// The mark of a daemon in its database: the row of `daemon`, as text. It names the daemon and counts, so that no two
/// states of the main file have the same one.
struct Seal: Equatable {
    /// Random, new at each start.
    let epoch: String
    let number: Int

    init(_ epoch: String, _ number: Int) {
        (self.epoch, self.number) = (epoch, number)
    }

    /// - Parameter text: what stands in the row; an older release wrote the epoch alone.
    init?(_ text: String) {
        guard let point = text.lastIndex(of: "."), let number = Int(text[text.index(after: point)...]) else {
            return nil
        }
        self.init(String(text[..<point]), number)
    }

    var text: String { "\(epoch).\(number)" }

    static func newEpoch() -> String {
        (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined(separator: "-")
    }

    /// Writes it into the database.
    func set(in session: Session) throws {
        try session.run(
            "INSERT INTO daemon (id, epoch) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch", [text]
        )
    }

    /// What the database has, in the snapshot of a session; nil: none of this form.
    static func present(in session: Session) throws -> Seal? {
        try session.first("SELECT epoch FROM daemon", [], { $0.text() }).flatMap(Seal.init)
    }
}
