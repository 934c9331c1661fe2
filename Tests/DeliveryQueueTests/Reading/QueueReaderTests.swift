import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct QueueReaderTests {
    private let queue: QueueFixture

    init() async throws {
        queue = try await QueueFixture()
    }

    private func fill() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        try await queue.record(queue.claimOne(at: start + .hours(1)), .rejected, at: start + .hours(1))
        try await queue.ingest(
            .entry("b", .failed, at: start + .minutes(5), customer: "c-2", type: "document_upload"),
            at: start + .hours(1))
        try await queue.ingest(.failure("c", at: start), endpoint: QueueFixture.other, at: start + .hours(2))
        try await queue.ingest(.failure("d", at: start + .hours(3)), at: start + .hours(3))
        try await queue.ingest(.success("d", at: start + .hours(4)), at: start + .hours(4))
    }

    private func tasks(_ change: (inout DeliveryFilter) -> Void, limit: Int = 0) throws -> [String] {
        var filter = DeliveryFilter()
        change(&filter)
        let reader = try QueueReader(path: queue.path)
        let records = try reader.deliveries(matching: filter, limit: limit)
        let ids = try reader.deliveryIDs(matching: filter)
        if limit == 0 { #expect(ids.reversed() == records.map(\.delivery.id)) }
        return records.map(\.delivery.taskID)
    }

    @Test func `deliveries are found by each of their properties, newest first`() async throws {
        try await fill()

        #expect(try tasks { _ in } == ["d", "c", "b", "a"])
        #expect(try tasks({ _ in }, limit: 2) == ["d", "c"])
        #expect(try tasks { $0.states = [.dead] } == ["a"])
        #expect(try tasks { $0.states = [.dead, .delivered] } == ["d", "a"])
        #expect(try tasks { $0.reasons = [.rejected] } == ["a"])
        #expect(try tasks { $0.reasons = [.age] } == [])
        #expect(try tasks { $0.eventTypes = ["document_upload"] } == ["b"])
        #expect(try tasks { $0.endpointID = QueueFixture.other } == ["c"])
        #expect(try tasks { $0.customerID = "c-2" } == ["b"])
        #expect(try tasks { $0.since = start + .minutes(5) } == ["d", "b"])
        #expect(try tasks { $0.until = start + .minutes(5) } == ["c", "a"])
        #expect(
            try tasks {
                $0.states = [.scheduled]
                $0.customerID = "c-1"
            } == ["c"])
    }

    @Test func `a delivery is found by number, task id and further task id`() async throws {
        try await queue.accepted("a", failed: start, called: start + .minutes(1), naming: "a-2")
        try await queue.ingest(.pending("a-2", of: "a", at: start + .minutes(1)), at: start + .minutes(2))
        try await queue.ingest(.failure("1", at: start), endpoint: QueueFixture.other, at: start)
        let reader = try QueueReader(path: queue.path)

        #expect(try reader.delivery(withID: 1)?.delivery.taskID == "a")
        #expect(try reader.deliveries(withTaskID: "1").map(\.delivery.taskID) == ["1"])
        #expect(try reader.deliveries(withTaskID: "a-2").map(\.delivery.taskID) == ["a"])
        #expect(try reader.delivery(withID: 77) == nil)
        #expect(try reader.deliveries(withTaskID: "77") == [])
        #expect(try reader.deliveries(withTaskIDFrom: "", limit: 9).map(\.delivery.taskID) == ["a", "1"])
        #expect(try reader.deliveries(withTaskIDFrom: "b", limit: 9) == [])
        #expect(try reader.endpointID(named: "second") == QueueFixture.other)
        #expect(try reader.endpointID(named: QueueFixture.other) == QueueFixture.other)
        #expect(try reader.endpointID(named: "third") == nil)
    }

    @Test func `a history tells entries, calls and operators' actions by time`() async throws {
        try await queue.accepted("a", failed: start, called: start + .minutes(1), naming: "a-2")
        try await queue.ingest(
            .entry("a-2", .failed, of: "a", at: start + .minutes(2), error: "HTTP 500"), at: start + .minutes(3))
        let id = try await queue.delivery("a").id
        _ = try await queue.store.act(
            .discard, on: id, by: "ann", reason: "not needed", at: start + .minutes(4))
        let history = try #require(try QueueReader(path: queue.path).history(ofDelivery: id))

        #expect(
            history.events.map { "\($0.source.rawValue) \($0.what) \($0.detail ?? "-")" } == [
                "log failed -", "retry failed attempt 1, answer accepted after 1.0 s",
                "log failed as task a-2 HTTP 500",
                "operator discard ann: not needed",
            ])
        #expect(history.aliases == ["a-2"])
        #expect(history.record.deadReason == .discarded && history.record.endpointName == "first")
        #expect(history.bodySize == 13 && history.bodyDigest.count == 64)
        #expect(try QueueReader(path: queue.path).body(ofDelivery: id) == Array(#"{"event":"a"}"#.utf8))
        #expect(try QueueReader(path: queue.path).history(ofDelivery: 99) == nil)
        #expect(try QueueReader(path: queue.path).body(ofDelivery: 99) == nil)
    }

    @Test func `the pause of the provider is kept while it lasts, with the time it began`() async throws {
        try await queue.ingest(.failure("a", at: start), at: start)
        func pause() throws -> DeliveryHistory.Pause? {
            try QueueReader(path: queue.path).history(ofDelivery: 1)?.pause
        }
        let until = start + .minutes(5)

        #expect(try pause() == nil)
        try await queue.store.recordPause("throttled", until: until, at: start)
        try await queue.store.recordPause("throttled", until: until + .minutes(1), at: start + .seconds(9))
        #expect(try pause() == .init(reason: "throttled", since: start, until: until + .minutes(1)))
        try await queue.store.recordPause("credential", until: nil, at: start + .seconds(20))
        #expect(try pause() == .init(reason: "credential", since: start + .seconds(20), until: nil))
        try await queue.store.recordPause(nil, until: nil, at: start)
        #expect(try pause() == nil)
    }
}
