import DeliveryQueue
import Foundation
import Testing

@testable import RedeliverCLI

@Suite struct DeliveryArgumentTests {
    @Test func `a number of ours has digits only`() async throws {
        let path = NSTemporaryDirectory() + "redeliver-argument-\(UUID().uuidString).db"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try QueueStore(path: path, now: Timestamp(milliseconds: 0)).close()
        let reader = try QueueReader(path: path)

        for text in ["+1", "id:+1", "id:-1", "id:0x1"] {
            #expect(DeliveryArgument(argument: text).id == nil, "\(text)")
        }
        #expect(DeliveryArgument(argument: "1").id == 1)
        #expect(DeliveryArgument(argument: "id:12").id == 12)
        #expect(DeliveryArgument(argument: "task:12").id == nil)
        #expect(throws: (any Error).self) { try DeliveryArgument(argument: "id:+1").find(in: reader) }
    }
}
