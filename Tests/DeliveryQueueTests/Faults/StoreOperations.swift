@testable import DeliveryQueue
@testable import QueueFixtures

/// The store's transactions, each on a database that gives it all of its work to do.
enum StoreOperations {
    private static let called = start + .minutes(1)
    private static let later = start + .hours(1)

    /// New failures, a proven delivery, a retry that failed again, an entry that nobody understands, and a gap.
    static func ingest() async throws -> FaultedOperation {
        let queue = try await QueueFixture()
        try await queue.accepted("a", failed: start, called: called)
        try await queue.accepted("b", failed: start + .minutes(2), called: start + .minutes(4))
        let page = ObservedPage(
            endpointID: QueueFixture.endpoint,
            observations: [
                .failure("new-1", at: later), .failure("new-2", at: later, customer: "c-2", type: "rare"),
                .success("a", at: later), .failure("b", at: later, error: "still down"),
                .success("never-failed", at: later),
            ],
            unreadable: [UnreadableObservation(reason: "no_task_id", detail: "d", raw: [0x7b, 0x7d], logged: later)],
            progress: ScanProgress(
                started: later, newest: later, unread: ScanRange(from: start, to: later), resumeURL: "/p2",
                newestFirst: true))
        return try FaultedOperation(of: queue) { subject in
            _ = try await subject.open().ingest(page, rules: .exact(), at: later)
        }
    }

    static func claim() async throws -> FaultedOperation {
        let queue = try await QueueFixture()
        for index in 0..<6 {
            try await queue.ingest(
                .failure("t\(index)", at: start), endpoint: index % 2 == 0 ? QueueFixture.endpoint : QueueFixture.other,
                at: start)
        }
        return try FaultedOperation(of: queue) { subject in
            _ = try await subject.open().claimDue(limit: 10, lease: .seconds(60), rules: .exact(), at: later)
        }
    }

    /// An answer of each meaning.
    static func record() async throws -> FaultedOperation {
        let queue = try await QueueFixture()
        let meanings: [Reply] = [
            .accepted, .uncertain, .serverError, .notExecuted(pause: .seconds(30)), .notFound, .rejected,
        ]
        for index in meanings.indices { try await queue.ingest(.failure("t\(index)", at: start), at: start) }
        let claimed = try await queue.claim(at: called)
        let outcomes = zip(claimed, meanings).map { claimed, meaning in
            queue.outcome(of: claimed, meaning, naming: meaning == .accepted ? "named" : nil, at: called)
        }
        return try FaultedOperation(of: queue) { subject in
            _ = try await subject.open().record(outcomes, rules: .exact(), at: called)
        }
    }

    /// A lease that has run out, and a call about which the log stayed silent.
    static func settle() async throws -> FaultedOperation {
        let queue = try await QueueFixture()
        try await queue.accepted("silent", failed: start, called: called)
        try await queue.ingest(.failure("lost", at: start + .minutes(2)), at: start + .minutes(2))
        _ = try await queue.claim(lease: .seconds(30), at: start + .minutes(4))
        try await queue.ingest(at: later)
        let operation = try FaultedOperation(of: queue) { subject in
            _ = try await subject.open().settleOverdue(rules: .exact(), at: later)
        }
        var whole = operation
        whole.between = [
            try await operation.state { subject in
                _ = try await subject.open().reclaimOpenIntents(rules: .exact(), at: later)
            }
        ]
        return whole
    }

    static func prune() async throws -> FaultedOperation {
        let queue = try await filled()
        return try FaultedOperation(of: queue) { subject in
            _ = try await subject.open().prune(at: start + .days(91))
        }
    }

    static func reclaimSpace() async throws -> FaultedOperation {
        let queue = try await filled()
        _ = try await queue.store.prune(at: start + .days(91))
        return try FaultedOperation(of: queue) { subject in
            try await subject.open().reclaimSpace()
        }
    }

    /// Delivered deliveries, whose bodies take some pages each.
    private static func filled() async throws -> QueueFixture {
        let queue = try await QueueFixture()
        for index in 0..<6 {
            var failure = LogObservation.failure("t\(index)", at: start)
            failure.body = Array("\"\(String(repeating: "x", count: 10_000))\"".utf8)
            try await queue.ingest(failure, .success("t\(index)", at: start + .minutes(1)), at: start + .minutes(1))
        }
        return queue
    }
}
