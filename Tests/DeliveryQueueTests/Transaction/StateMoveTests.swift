import GRDB
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct StateMoveTests {
    /// The moves of a delivery, written out: the reference for `DeliveryState.next`.
    private static let allowed: [DeliveryState: Set<DeliveryState>] = [
        .scheduled: [.attempting, .delivered, .dead],
        .attempting: [.awaiting, .scheduled, .delivered, .dead],
        .awaiting: [.delivered, .scheduled, .dead],
        .delivered: [.scheduled],
        .dead: [.scheduled, .delivered],
    ]

    /// The columns that a state demands; all others of these it forbids.
    private static let demanded: [DeliveryState: Set<String>] = [
        .scheduled: ["next_attempt_ms"],
        .attempting: ["lease_until_ms", "called_ms"],
        .awaiting: ["called_ms", "confirm_by_ms"],
        .delivered: ["finalized_ms", "delivered_by", "delivered_evidence"],
        .dead: ["finalized_ms", "dead_reason"],
    ]

    private static let columns = [
        "next_attempt_ms": "1", "lease_until_ms": "1", "called_ms": "1", "confirm_by_ms": "1", "finalized_ms": "1",
        "delivered_by": "'worker'", "delivered_evidence": "'log'", "dead_reason": "'age'",
    ]

    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private static func transition(to state: DeliveryState) -> Transition {
        switch state {
        case .scheduled: .schedule(at: start + .hours(1), usesAttempt: true)
        case .attempting: .attempt(leaseUntil: start + .minutes(1))
        case .awaiting: .await(until: start + .minutes(10))
        case .delivered: .deliver(Evidence(actor: .provider, source: .log, taskID: "a"))
        case .dead: .die(.attempts, usesAttempt: true)
        }
    }

    /// A delivery that was led to `state` by allowed moves.
    private func delivery(in state: DeliveryState) async throws -> Delivery {
        try await queue.ingest(.failure("a", at: start), at: start)
        let path: [DeliveryState] =
            switch state {
            case .scheduled: []
            case .attempting: [.attempting]
            case .awaiting: [.attempting, .awaiting]
            case .delivered: [.delivered]
            case .dead: [.dead]
            }
        let first = try await queue.delivery("a")
        return try await queue.change { queue in
            try path.reduce(first) { try queue.moved($0, Self.transition(to: $1)) }
        }
    }

    @Test(arguments: DeliveryState.allCases, DeliveryState.allCases)
    func `every allowed move happens and every other is refused`(from: DeliveryState, to: DeliveryState) async throws {
        let delivery = try await delivery(in: from)
        let before = try await queue.dump()
        let queue = queue

        let move: @Sendable () async throws -> Delivery = {
            try await queue.change { try $0.moved(delivery, Self.transition(to: to)) }
        }
        if Self.allowed[from]?.contains(to) == true {
            let moved = try await move()
            #expect(moved.state == to)
            #expect(try await queue.delivery("a") == moved)
        } else {
            let error = try await #require(throws: StoreError.self) { try await move() }
            #expect(error.kind == .refusedMove)
            #expect(error.description.contains(from.rawValue) && error.description.contains(to.rawValue))
            #expect(try await queue.dump() == before)
        }
    }

    @Test(arguments: DeliveryState.allCases)
    func `the table of moves in the code is the table of the design`(state: DeliveryState) {
        #expect(state.next == Self.allowed[state])
        #expect(state.isOpen == [.scheduled, .attempting, .awaiting].contains(state))
    }

    @Test(arguments: DeliveryState.allCases, DeliveryState.allCases)
    func `the schema refuses a state without its columns`(from: DeliveryState, to: DeliveryState) async throws {
        let delivery = try await delivery(in: from)
        guard from != to else { return }

        let error = await #expect(throws: DatabaseError.self) {
            try await queue.run("UPDATE delivery SET state = ? WHERE id = ?", [to.rawValue, delivery.id])
        }
        #expect(error?.extendedResultCode == .SQLITE_CONSTRAINT_CHECK)
    }

    @Test(arguments: DeliveryState.allCases, columns.keys.sorted())
    func `the schema demands exactly the columns of a state`(state: DeliveryState, column: String) async throws {
        let delivery = try await delivery(in: state)
        let isDemanded = Self.demanded[state]?.contains(column) == true
        let wrong = try isDemanded ? "NULL" : #require(Self.columns[column])

        #expect(
            try await queue.number("SELECT \(column) IS NOT NULL FROM delivery WHERE id = ?", [delivery.id])
                == (isDemanded ? 1 : 0))
        let error = await #expect(throws: DatabaseError.self) {
            try await queue.run("UPDATE delivery SET \(column) = \(wrong) WHERE id = ?", [delivery.id])
        }
        #expect(error?.extendedResultCode == .SQLITE_CONSTRAINT_CHECK)
    }

    @Test(arguments: [
        "state = 'retrying'", "attempts_used = -1", "cycle = 0", "first_failed_ms = last_failed_ms + 1",
        "lease_token = 'x'", "next_attempt_ms = 'soon'", "endpoint_id = 'unknown'", "task_id = NULL",
    ])
    func `the schema refuses what no delivery can be`(assignment: String) async throws {
        let delivery = try await delivery(in: .scheduled)

        await #expect(throws: DatabaseError.self) {
            try await queue.run("UPDATE delivery SET \(assignment) WHERE id = ?", [delivery.id])
        }
    }

    @Test func `a decision under an older lease token changes nothing`() async throws {
        let stale = try await delivery(in: .attempting)
        try await queue.change { queue in
            let back = try queue.moved(stale, .schedule(at: start, usesAttempt: false))
            return try queue.moved(back, .attempt(leaseUntil: start + .minutes(5)))
        }
        let before = try await queue.dump()

        for transition in [
            Transition.await(until: start), .schedule(at: start, usesAttempt: true), .die(.rejected, usesAttempt: true),
            .deliver(Evidence(actor: .worker, source: .answer, taskID: nil)),
        ] {
            let error = try await #require(throws: StoreError.self) {
                try await queue.change { try $0.moved(stale, transition) }
            }
            #expect(error.kind == .refusedMove)
        }
        #expect(try await queue.dump() == before)
    }

    @Test func `a decision about a delivery that has moved on changes nothing`() async throws {
        let seen = try await delivery(in: .scheduled)
        try await queue.ingest(.success("a", at: start + .seconds(5)), at: start + .seconds(6))
        let before = try await queue.dump()

        await #expect(throws: StoreError.self) {
            try await queue.change { try $0.moved(seen, .attempt(leaseUntil: start)) }
        }
        #expect(try await queue.dump() == before)
    }

    @Test func `each claim raises the lease token`() async throws {
        var delivery = try await delivery(in: .scheduled)

        for expected in 1...3 {
            let found = delivery
            delivery = try await queue.change { queue in
                let claimed = try queue.moved(found, .attempt(leaseUntil: start + .minutes(1)))
                #expect(claimed.leaseToken == Int64(expected))
                return try queue.moved(claimed, .schedule(at: start, usesAttempt: false))
            }
        }
        #expect(delivery.leaseToken == 3)
    }
}
