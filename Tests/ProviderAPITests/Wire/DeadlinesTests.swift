import TestSupport
import Testing

@testable import ProviderAPI

@Suite struct DeadlinesTests {
    private let deadlines = Deadlines()

    @Test func `work that ends in time is not touched`() async throws {
        #expect(try await deadlines.run(within: .seconds(60)) { 7 } == 7)
        await #expect(throws: Fault.self) { try await deadlines.run(within: .seconds(60)) { throw Fault() } }
    }

    @Test func `work that lasts too long is cancelled, and its error says why`() async {
        await #expect(throws: Deadlines.DeadlinePassed.self) {
            try await deadlines.run(within: .milliseconds(20)) { try await untilCancelled() }
        }
    }

    /// Otherwise this test would take an hour.
    @Test(.timeLimit(.minutes(5))) func `a nearer deadline is kept while a farther one is waited for`() async {
        let far = Task {
            try await deadlines.run(within: .seconds(3_600)) { try await untilCancelled() }
        }
        for _ in 0..<3 {
            await #expect(throws: Deadlines.DeadlinePassed.self) {
                try await deadlines.run(within: .milliseconds(20)) { try await untilCancelled() }
            }
        }
        far.cancel()
        await #expect(throws: CancellationError.self) { try await far.value }
    }

    @Test func `one deadline after the other is kept`() async {
        await withDiscardingTaskGroup { group in
            for number in 1...50 {
                group.addTask {
                    await #expect(throws: Deadlines.DeadlinePassed.self) {
                        try await deadlines.run(within: .milliseconds(number)) { try await untilCancelled() }
                    }
                }
            }
        }
    }

    private struct Fault: Error {}
}
