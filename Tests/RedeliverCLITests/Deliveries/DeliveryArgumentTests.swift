import Foundation
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures
@testable import RedeliverCLI

/// Which delivery a person means. Number 1 is task `2`, number 2 is task `core-17`, number 3 is task `core-18`.
@Suite struct DeliveryArgumentTests {
    private let queue: QueueFixture
    private let reader: QueueReader

    init() async throws {
        queue = try await QueueFixture()
        for task in ["2", "core-17", "core-18"] {
            try await queue.ingest(.failure(task, at: start), at: start)
        }
        reader = try QueueReader(path: queue.path)
    }

    private func task(_ text: String) throws -> String {
        try DeliveryArgument(argument: text).find(in: reader).delivery.taskID
    }

    private func refusal(_ text: String) -> String {
        do {
            return "found \(try task(text))"
        } catch {
            return "\(error)"
        }
    }

    @Test func `a task id is meant before a number, and a number is written as one`() throws {
        #expect(try task("2") == "2")
        #expect(try task("task:2") == "2")
        #expect(try task("id:2") == "core-17")
        #expect(try task("#2") == "core-17")
    }

    @Test func `a bare number is never taken for ours, and the message says how to write it`() {
        #expect(refusal("3").contains("no delivery with task id 3"))
        #expect(refusal("3").contains("task core-18, customer c-1"))
        #expect(refusal("3").contains("id:3"))
        #expect(refusal("77").contains("there is no delivery 77"))
    }

    @Test func `the start of a task id will do where only one begins so`() throws {
        #expect(try task("core-17") == "core-17")
        #expect(try task("task:core-18") == "core-18")
        #expect(refusal("core-1").contains("may mean several deliveries: id:2 (task core-17"))
        #expect(refusal("cor").contains("there is no delivery cor"))
    }

    @Test func `the start of a task id finds its delivery`() async throws {
        try await queue.ingest(.failure("profile-9", at: start), at: start)

        #expect(try task("prof") == "profile-9")
    }

    @Test(arguments: ["id:+1", "id:-1", "id:0x1", "#", "id:", "#1x"])
    func `a number of ours has digits only`(text: String) {
        #expect(DeliveryArgument(argument: text).id == nil)
        #expect(refusal(text).contains("there is no delivery"))
    }
}
