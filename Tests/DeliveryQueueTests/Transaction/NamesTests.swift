import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// A task id that an answer names is a candidate. The entry that appears under it decides.
@Suite struct NamesTests {
    private let called = start + .minutes(1)
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private func states() async throws -> [String] {
        try await queue.texts("SELECT task_id || ' ' || state FROM delivery ORDER BY task_id")
    }

    /// Reads a page that shows nothing new, and settles, when the log has had its time.
    private func wait(until now: Timestamp? = nil) async throws {
        let late = now ?? called + .minutes(11)
        try await queue.ingest(at: late)
        try await queue.settle(at: late)
    }

    // MARK: - Names that are something else

    @Test func `another delivery that has the named task id stays what it is`() async throws {
        try await queue.ingest(.failure("101", at: start + .seconds(50), customer: "c-2"), at: start + .seconds(50))
        try await queue.accepted("a", failed: start, called: called, naming: "101")

        #expect(try await states() == ["101 scheduled", "a awaiting"])
        #expect(try await queue.number("SELECT COUNT(*) FROM delivery_body") == 2)

        try await queue.ingest(
            .success("101", at: called + .seconds(2), customer: "c-2"), at: called + .seconds(15))
        #expect(try await states() == ["101 delivered", "a awaiting"])
    }

    @Test func `a failure that appears under the named task id and is another's is a delivery`() async throws {
        try await queue.accepted("a", failed: start, called: called, naming: "101")
        try await queue.ingest(.failure("101", at: called + .seconds(2), customer: "c-2"), at: called + .seconds(15))

        #expect(try await states() == ["101 scheduled", "a awaiting"])
    }

    @Test(arguments: ["customer", "event type", "webhook"])
    func `a success that contradicts the call proves nothing`(field: String) async throws {
        try await queue.accepted("a", failed: start, called: called, naming: "101")
        var entry = LogObservation.success("101", of: "a", at: called + .seconds(2))
        switch field {
        case "customer": entry.customerID = "c-2"
        case "event type": entry.eventType = "document_upload"
        default: entry.webhookID = "w-2"
        }
        try await queue.ingest(entry, at: called + .seconds(15))
        try await wait()

        #expect(try await states() == ["a scheduled"])
    }

    @Test func `a task id that was read before the call is not the retry's`() async throws {
        try await queue.ingest(.success("101", of: "a", at: start), at: start + .seconds(5))
        try await queue.accepted("a", failed: start, called: called, naming: "101")
        try await queue.ingest(.success("101", of: "a", at: called + .seconds(2)), at: called + .seconds(15))

        #expect(try await states() == ["a awaiting"])
    }

    @Test func `an entry that is older than what was read before the call is not the retry's`() async throws {
        try await queue.ingest(
            .success("z", at: start + .seconds(50)),
            progress: ScanProgress(started: start, newest: start + .seconds(50)), at: start + .seconds(55))
        try await queue.accepted("a", failed: start, called: called, naming: "101")
        try await queue.ingest(.success("101", of: "a", at: start + .seconds(30)), at: called + .seconds(15))

        #expect(try await states() == ["a awaiting"])
    }

    @Test func `where the answer names what is not a task id, the entry is found by its content`() async throws {
        try await queue.accepted("a", failed: start, called: called, naming: "job-7")
        try await queue.ingest(.success("n", of: "a", at: called + .seconds(2)), at: called + .seconds(15))

        #expect(try await states() == ["a delivered"])
    }

    // MARK: - Names that tell

    @Test func `an entry that says nothing else than the named task id proves its call`() async throws {
        try await queue.accepted("a", failed: start, called: called, naming: "n")
        var entry = LogObservation.success("n", at: called + .seconds(2), customer: nil, type: nil)
        entry.body = nil
        try await queue.ingest(entry, at: called + .seconds(15))

        #expect(try await states() == ["a delivered"])
    }

    @Test func `an entry that was read before the answer was stored is found when it is read again`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        let claimed = try await queue.claimOne(at: called)
        var entry = LogObservation.success("n", at: called + .seconds(2))
        entry.body = nil
        try await queue.ingest(entry, at: called + .seconds(3))
        try await queue.record(claimed, .accepted, naming: "n", at: called + .seconds(4))
        #expect(try await states() == ["a awaiting"])

        try await queue.ingest(entry, at: called + .seconds(15))

        #expect(try await states() == ["a delivered"])
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["delivered"])
    }

    @Test func `where names tell, an entry under another task id is an event of its own`() async throws {
        try await queue.accepted("a", failed: start, called: called, naming: "n")
        try await queue.ingest(.success("n", of: "a", at: called + .seconds(2)), at: called + .seconds(15))
        let later = start + .minutes(20)
        try await queue.accepted("b", failed: later, called: later + .minutes(1), naming: "named")

        try await queue.ingest(.failure("m", of: "b", at: later + .seconds(62)), at: later + .seconds(75))

        #expect(try await states() == ["a delivered", "b awaiting", "m scheduled"])
    }

    // MARK: - Another body

    @Test func `a success with another body proves its call when the log has had its time`() async throws {
        try await queue.accepted("a", failed: start, called: called, naming: "n")
        try await queue.ingest(.success("n", of: "other", at: called + .seconds(2)), at: called + .seconds(15))
        #expect(try await states() == ["a awaiting"])

        try await wait()

        #expect(try await states() == ["a delivered"])
        #expect(
            try await queue.texts("SELECT delivered_by || ' ' || delivered_task_id FROM delivery") == ["worker n"])
        #expect(try await queue.counter(Counter.unconfirmed) == 0)
    }

    @Test func `an entry with the same body comes before one with another body under the name`() async throws {
        try await queue.accepted("a", failed: start, called: called, naming: "n")
        try await queue.ingest(.success("n", of: "other", at: called + .seconds(2)), at: called + .seconds(15))
        try await queue.ingest(.failure("m", of: "a", at: called + .seconds(3)), at: called + .seconds(30))
        try await wait()

        #expect(try await states() == ["a scheduled"])
        #expect(try await queue.texts("SELECT outcome FROM attempt") == ["failed"])
    }

    @Test func `a success with another body proves neither of two calls that named it`() async throws {
        try await queue.ingest(.failure("a", at: start), .failure("b", at: start), at: start)
        for claimed in try await queue.claim(at: called) {
            try await queue.record(claimed, .accepted, naming: "job", at: called + .seconds(1))
        }
        try await queue.ingest(.success("job", of: "other", at: called + .seconds(2)), at: called + .seconds(15))
        try await wait()

        #expect(try await states() == ["a scheduled", "b scheduled"])
    }

    @Test func `a failure with another body is a delivery, and the call stays open`() async throws {
        try await queue.accepted("a", failed: start, called: called, naming: "n")
        try await queue.ingest(.failure("n", of: "other", at: called + .seconds(2)), at: called + .seconds(15))

        #expect(try await states() == ["a awaiting", "n scheduled"])
    }

    // MARK: - The brake

    /// Two calls of `a`, after each of which a failure of its customer and event type is logged that nothing names.
    private func counted(customer: String?) async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        for number in 1...2 {
            let due = try #require(try await queue.delivery("a").nextAttempt)
            let mine = try await queue.claim(at: due).filter { $0.taskID == "a" }
            try await queue.record(try #require(mine.first), .accepted, at: due)
            try await queue.ingest(
                .failure("n\(number)", of: "a, attempt \(number)", at: due + .seconds(3), customer: customer),
                at: due + .seconds(15))
            try await wait(until: due + .minutes(10))
        }
    }

    @Test func `retries that are logged with other bodies under new task ids hold the endpoint after two calls`()
        async throws
    {
        try await counted(customer: "c-1")

        #expect(try await queue.holdReason() == "log_silent")
    }

    @Test func `events of others do not hold it`() async throws {
        try await counted(customer: "c-2")

        #expect(try await queue.holdReason() == nil)
    }
}
