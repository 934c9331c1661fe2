import TestSupport
import Testing

@testable import DatabaseTools
@testable import DeliveryQueue
@testable import QueueFixtures

/// When a backup takes the database's place.
let now = start + .hours(2)

/// A restore as an operator makes one: the daemon stops, the backup takes its database's place, and the next daemon
/// starts.
extension QueueFixture {
    /// Attempts come a minute apart, so that many of them lie between the backup and its restore.
    static func forRestore() async throws -> QueueFixture {
        try await QueueFixture(rules: .exact(.listed(Array(repeating: .minutes(1), count: 9))))
    }

    private var backup: String { folder.file("backup.db") }

    func backUp() async throws {
        _ = try await QueueReader(path: path).backUp(to: backup)
    }

    /// Stops the daemon, restores, and opens the result as the next daemon would.
    ///
    /// - Parameter before: what happens to the database's file while nothing has it open.
    func restore(
        rules: RetryRules? = nil, before: (String) throws -> Void = { _ in }
    ) async throws -> (RestoreSummary, QueueFixture) {
        try store.close()
        try before(path)
        let restore = DatabaseRestore(of: backup, to: path, rules: rules ?? self.rules)
        let rehearsed = try await restore.rehearse(at: now)
        let report = try await restore.run(at: now)
        #expect(report.summary == rehearsed.summary && rehearsed.keptAs == nil)
        let restored = try QueueFixture(reopening: self, rules: rules, at: now)
        let parts = try QueueReader(path: path).check()
        #expect(parts.allSatisfy { $0.count == 0 }, "\(parts)")
        return (report.summary, restored)
    }
}
